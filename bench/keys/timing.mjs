// Does the time of a refused key tell how much of its hash is right? node bench/keys/timing.mjs [--requests N] [--seed N]
// Starts a Release build of PushFarm with 64 keys. Key n has a hash whose first n hex digits (0 to 63) are those of a wrong key that is then
// presented, in random order, N times each. A comparison that stops at the first difference would take longer with every digit. Prints the
// median for eight groups of digits, Spearman's rank correlation of digits and time with its p-value, and the slope of the time with its 95 %
// interval: the p-value should not be small, and the interval should contain 0. Loopback and free ports only; it stops what it started.
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { freePort } from "../measure/processes.mjs";

const Digits = 64;
const WarmUp = 20_000;

const { values } = parseArgs({ options: { requests: { type: "string", default: "3000" }, seed: { type: "string", default: `${Date.now() % 1e9}` } } });
const requests = Number(values.requests);
const random = mulberry32(Number(values.seed));
console.log(`seed ${values.seed}, ${requests} requests for each number of digits`);

const keys = Array.from({ length: Digits }, () => `rpk_${randomBytes(32).toString("base64url")}`);
const [nodePort, apiPort, managementPort] = [await freePort(), await freePort(), await freePort()];
const farm = spawn("dotnet", [join(dirname(fileURLToPath(import.meta.url)), "../../src/PushFarm/bin/Release/net10.0/PushFarm.dll")], {
  stdio: ["ignore", "pipe", "inherit"],
  env: {
    ...process.env,
    Farm__NodeUrl: `http://127.0.0.1:${nodePort}`,
    Farm__ApiUrl: `http://127.0.0.1:${apiPort}`,
    Management__Port: `${managementPort}`,
    ...Object.fromEntries(keys.flatMap((key, n) => [[`PushApi__Keys__${n}__Name`, `shares-${n}`], [`PushApi__Keys__${n}__Sha256`, hashSharing(key, n)]])),
  },
});
process.on("exit", () => farm.kill("SIGKILL"));
for await (const chunk of farm.stdout) {
  if (`${chunk}`.includes("Try it"))
    break;
}

const socket = connect(apiPort, "127.0.0.1").setNoDelay(true);
await once(socket, "connect");
const heads = keys.map(key => `POST /v1/broadcast HTTP/1.1\r\nHost: h\r\nX-API-Key: ${key}\r\nContent-Length: 0\r\n\r\n`);
for (let i = 0; i < WarmUp; i++)
  await time(heads[i % Digits]);

const samples = [];
for (let round = 0; round < requests; round++) {
  for (const digits of shuffled())
    samples.push({ digits, time: await time(heads[digits]) });
}
socket.destroy();
farm.kill("SIGTERM");

for (let from = 0; from < Digits; from += 8) {
  const times = samples.filter(sample => sample.digits >= from && sample.digits < from + 8).map(sample => sample.time);
  console.log(`${`${from}`.padStart(2)} to ${`${from + 7}`.padStart(2)} digits: median ${(median(times) / 1000).toFixed(2)} µs`);
}
const { rho, p } = spearman(samples);
console.log(`rank correlation ${rho.toFixed(4)}, p = ${p.toFixed(3)}`);
const { slope, error } = trend(samples);
console.log(`slope ${slope.toFixed(2)} ns for each digit, 95 % within ${(slope - 1.96 * error).toFixed(2)} and ${(slope + 1.96 * error).toFixed(2)}`);
process.exit(0);

/** The key's hash up to a digit, then another digit, then anything. */
function hashSharing(key, digits) {
  const hash = createHash("sha256").update(key).digest("hex");
  const other = ((parseInt(hash[digits], 16) + 1 + Math.floor(random() * 15)) % 16).toString(16);
  return hash.slice(0, digits) + other + randomBytes(32).toString("hex").slice(0, Digits - digits - 1);
}

/** Nanoseconds from a request to the last byte of its answer, which is a 401. */
function time(head) {
  return new Promise((resolve, reject) => {
    let text = "";
    const start = process.hrtime.bigint();
    socket.on("data", function read(chunk) {
      text += chunk;
      if (!text.endsWith("}") && !text.endsWith("0\r\n\r\n"))
        return;
      const end = process.hrtime.bigint();
      socket.off("data", read);
      if (text.startsWith("HTTP/1.1 401 "))
        resolve(Number(end - start));
      else
        reject(new Error(text));
    });
    socket.write(head);
  });
}

function shuffled() {
  const order = Array.from({ length: Digits }, (_, i) => i);
  for (let i = Digits - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function median(times) {
  const sorted = Float64Array.from(times).sort();
  return sorted[sorted.length >> 1];
}

/** Spearman's rank correlation, by Pearson's of the ranks; p by the normal approximation, which holds for this many samples. */
function spearman(all) {
  const rank = new Map();
  [...all].sort((a, b) => a.time - b.time).forEach((sample, i) => rank.set(sample, i));
  const rho = pearson(all.map(sample => sample.digits), all.map(sample => rank.get(sample)));
  return { rho, p: 2 * (1 - normal(Math.abs(rho) * Math.sqrt(all.length - 1))) };
}

/** The slope of the line through the samples without the slowest 5 %, which are the machine's pauses. */
function trend(all) {
  const limit = [...all].map(sample => sample.time).sort((a, b) => a - b)[Math.floor(all.length * 0.95)];
  const kept = all.filter(sample => sample.time <= limit);
  const [x, y] = [kept.map(sample => sample.digits), kept.map(sample => sample.time)];
  const [mx, my] = [mean(x), mean(y)];
  const sxx = x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
  const slope = x.reduce((sum, value, i) => sum + (value - mx) * (y[i] - my), 0) / sxx;
  const residual = y.reduce((sum, value, i) => sum + (value - my - slope * (x[i] - mx)) ** 2, 0) / (x.length - 2);
  return { slope, error: Math.sqrt(residual / sxx) };
}

function pearson(x, y) {
  const [mx, my] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += (x[i] - mx) * (y[i] - my);
    xx += (x[i] - mx) ** 2;
    yy += (y[i] - my) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}

function mean(list) {
  return list.reduce((sum, value) => sum + value, 0) / list.length;
}

/** The normal distribution (Abramowitz and Stegun 26.2.17). */
function normal(z) {
  const t = 1 / (1 + 0.2316419 * z);
  const tail = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI)) * tail;
}

/** Random numbers that a seed repeats. */
function mulberry32(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
