// What a room's history costs Redis, and a publisher's wait, through the API: node bench/history/farm-cost.mjs [--rounds N] [--seconds N] [--rate N]
//   dotnet build -c Release src/PushNode && dotnet build -c Release src/PushApi
// A Redis, an API and three nodes of its own with a viewer in each room. The rooms plain and kept take turns: one publisher that waits for each
// answer, the same with an Idempotency-Key, and 50 publishers that send together, whose messages the API groups. A turn without messages is
// subtracted. Prints the CPU of Redis for a message, the median of the rounds, the ratio with its least and most, and the median wait.
// Wants a quiet machine. Loopback and free ports only; ends by itself after rounds x 7 x seconds.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, get, request } from "node:http";
import { loadavg } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ChildProcess, answers200, freePort, listens, scratchDirectory, stopAll, until } from "../measure/processes.mjs";
import { median } from "../measure/report.mjs";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" }, seconds: { type: "string", default: "5" }, rate: { type: "string", default: "1000" } } });
const [rounds, seconds, rate] = [values.rounds, values.seconds, values.rate].map(Number);
const ways = { alone: { at: 1, hasKey: false }, "alone and a key": { at: 1, hasKey: true }, "50 together": { at: 50, hasKey: false } };
const body = `{"text":"${"x".repeat(100)}"}`;

const scratch = scratchDirectory("redispush-history-");
process.on("SIGINT", () => process.exit(130));
if (loadavg()[0] > 0.5) console.log(`The load is ${loadavg()[0].toFixed(1)}: the machine is not quiet, so the figures count for little.`);

const redisPort = await freePort();
const redis = new ChildProcess("redis-server", ["--port", `${redisPort}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", scratch]);
await until(() => listens(redisPort), 10, () => `Redis does not listen: ${redis.lastWords}`);
const [api, ...nodes] = await Promise.all(["PushApi", "PushNode", "PushNode", "PushNode"].map(start));
for (const node of nodes) {
  for (const room of ["plain", "kept"]) get(`http://127.0.0.1:${node}/sse?room=${room}`, response => response.resume());
}

const agent = new Agent({ keepAlive: true, maxSockets: 50 });
for (const way of Object.values(ways)) {
  for (const room of ["plain", "kept"]) await publish(room, way, 2);
}
const figures = [];
for (let round = 0; round < rounds; round++) {
  const idle = await cpuDuring(() => delay(seconds * 1000)) / (seconds * rate);
  for (const [name, way] of Object.entries(ways)) {
    const of = {};
    for (const room of ["plain", "kept"]) {
      let waits;
      const cpu = await cpuDuring(async () => { waits = await publish(room, way, seconds); });
      of[room] = { cpu: cpu / waits.length - idle, wait: median(waits) };
    }
    figures.push({ name, ...of });
  }
}

console.log(`${rounds} rounds of ${seconds} s, ${rate} messages of ${body.length} bytes a second through the API, three nodes`);
for (const name of Object.keys(ways)) {
  const of = figures.filter(figure => figure.name === name);
  const ratios = of.map(({ plain, kept }) => kept.cpu / plain.cpu);
  const [before, after, waited, waits] = [({ plain }) => plain.cpu, ({ kept }) => kept.cpu, ({ plain }) => plain.wait, ({ kept }) => kept.wait].map(part => median(of.map(part)).toFixed(2));
  console.log(`${name.padStart(16)}: ${before} -> ${after} us of CPU for a message, ${median(ratios).toFixed(2)} x`
    + ` (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}); the answer after ${waited} -> ${waits} ms`);
}
await stopAll();
process.exit(0);

/** Starts a program, and gives its port when it is ready. */
async function start(project) {
  const program = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "src", project, "bin/Release/net10.0", `${project}.dll`);
  const [port, management] = [await freePort(), await freePort()];
  const child = new ChildProcess("dotnet", [program, "--urls", `http://127.0.0.1:${port}`], {
    cwd: dirname(program),
    env: {
      DOTNET_ENVIRONMENT: "Production", ASPNETCORE_ENVIRONMENT: "Production", Logging__LogLevel__Default: "Warning",
      ConnectionStrings__Redis: `127.0.0.1:${redisPort}`, Management__Port: `${management}`,
      Rooms__0__Pattern: "kept", Rooms__0__History__Size: "1000", Rooms__0__History__Ttl: "00:05:00",
    },
  });
  await until(() => child.hasEnded || answers200(`http://127.0.0.1:${management}/readyz`), 60, () => `${project} is not ready: ${child.lastWords}`);
  if (child.hasEnded) throw new Error(`${project} ended: ${child.lastWords}`);
  return port;
}

/** Microseconds of CPU of Redis. */
async function cpuDuring(action) {
  const before = redisCpu();
  await action();
  return (redisCpu() - before) / 1000;
}

function redisCpu() {
  return Number(readFileSync(`/proc/${redis.pid}/schedstat`, "utf8").split(" ")[0]);
}

/** Publishes at the rate, as many messages at once as the way says. Returns each message's wait for its answer, in ms. */
async function publish(room, { at, hasKey }, forSeconds) {
  const [began, waits, turns] = [performance.now(), [], Math.round(rate * forSeconds / at)];
  for (let turn = 0; turn < turns; turn++) {
    const early = began + turn * at * 1000 / rate - performance.now();
    if (early >= 1) await delay(early);
    waits.push(...await Promise.all(Array.from({ length: at }, () => post(room, hasKey))));
  }
  return waits;
}

function post(room, hasKey) {
  const began = performance.now();
  const headers = { "Content-Type": "application/json", "Content-Length": body.length, ...(hasKey ? { "Idempotency-Key": randomUUID() } : {}) };
  return new Promise((resolve, reject) => {
    request({ agent, port: api, host: "127.0.0.1", method: "POST", path: `/v1/rooms/${room}/messages`, headers }, response => {
      response.resume();
      response.once("end", () => response.statusCode === 202 ? resolve(performance.now() - began) : reject(new Error(`The API answered ${response.statusCode}.`)));
    }).once("error", reject).end(body);
  });
}
