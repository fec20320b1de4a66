// CPU per push and delivery of each encoding, all of them at once: node bench/encodings/cpu.mjs [--lanes A,B] [--chats N,N] [--members N] ...
// Each lane is a server with members of one kind in one room (lanes.mjs). All lanes run at once and get the same batches of chats, one a second,
// one lane after the other within the second, so that the machine's noise hits them alike. Prints Markdown for docs/performance.md. Loopback
// and free ports only; it stops what it started. Needs a Release build of src/PushNode, redis-server and cc; for ws the npm packages of
// bench/peers/node; for nchan nginx and its module.
import { loadavg } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { stopAll } from "../measure/processes.mjs";
import { Corpus, defaultSeed } from "./corpus.mjs";
import { Clients, Server, lanes, prepare } from "./lanes.mjs";

const { values } = parseArgs({
  options: {
    lanes: { type: "string", default: Object.keys(lanes).filter(name => lanes[name].server !== "floor").join(",") },
    chats: { type: "string", default: "1,10,100,1000" },
    members: { type: "string", default: "1000" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    "warm-up": { type: "string", default: "34" },
    kind: { type: "string", default: "chats" },
    seed: { type: "string", default: String(defaultSeed) },
  },
});
const names = values.lanes.split(",");
const sizes = values.chats.split(",").map(Number);
const [members, rounds, seconds, warmUp] = [values.members, values.rounds, values.seconds, values["warm-up"]].map(Number);

setTimeout(() => {
  console.error("Aborted: it took twice the expected time.");
  process.exit(1);
}, 2000 * (60 + warmUp + rounds * sizes.length * (seconds + 5))).unref();

const load = () => loadavg()[0].toFixed(2);
const loadBefore = load();
const { needs, publisher } = await prepare();
const corpus = new Corpus(values.kind, Number(values.seed));
const running = [];
for (const name of names) {
  const server = await Server.start(lanes[name], needs);
  running.push({ name, server, clients: await Clients.connect(server, lanes[name], members), results: sizes.map(() => []) });
}

await publish(100, warmUp);
for (let round = 0; round < rounds; round++) {
  for (const [i, size] of sizes.entries()) {
    await publish(size, 1);
    await settle();
    const before = await sample();
    await publish(size, seconds);
    await settle();
    const after = await sample();
    running.forEach((lane, k) => lane.results[i].push(difference(before[k], after[k])));
    console.error(`round ${round + 1}, ${size} chats: ${running.map((lane, k) => `${lane.name} ${us(lane.results[i].at(-1).perPush)}`).join(", ")} us`);
  }
}
report();
publisher.close();
await stopAll();
process.exit(0);

/** A batch a second, to each lane in its own part of the second. */
async function publish(size, times) {
  const begin = performance.now();
  for (let i = 0; i < times; i++) {
    const chats = corpus.batch(size);
    for (const [k, { name, server }] of running.entries()) {
      await delay(Math.max(0, begin + (i + k / running.length) * 1000 - performance.now()));
      if (server.kind === "node") publisher.publish(name, chats);
      else server.post(chats);
    }
  }
  await delay(Math.max(0, begin + times * 1000 - performance.now()));
}

/** Waits until nothing has arrived for a second: the servers that fell behind have caught up. */
async function settle() {
  for (let last = -1, sum; ; last = sum) {
    await delay(1000);
    sum = (await Promise.all(running.map(({ clients }) => clients.counts()))).reduce((all, { bytes, frames }) => all + bytes + frames, 0);
    if (sum === last) return;
  }
}

async function sample() {
  return Promise.all(running.map(async ({ server, clients }) => ({ cpu: server.process.cpuSeconds() * 1e6, ...await clients.counts() })));
}

function difference(before, after) {
  if (after.closed > 0) throw new Error(`${after.closed} connections were closed.`);
  const pushes = members * seconds;
  const perPush = key => (after[key] - before[key]) / pushes;
  return { perPush: perPush("cpu"), frames: perPush("frames"), bytes: perPush("bytes") };
}

function report() {
  const wide = write => running.map(lane => [lane.name, ...lane.results.map((all, i) => write(sorted(all.map(result => result.perPush)), i))]);
  const command = ["node bench/encodings/cpu.mjs", ...process.argv.slice(2)].join(" ");
  console.log(`\`${command}\`: ${members} members, ${rounds} rounds of ${seconds} pushes, load ${loadBefore} before and ${load()} after.`
    + `\n\nCPU per push in us, the median and in brackets the least and the greatest:\n`);
  const head = ["", ...sizes.map(size => size === 1 ? "1 chat" : `${size.toLocaleString("en")} chats`)];
  table(head, wide(all => `${us(median(all))} (${us(all[0])} - ${us(all.at(-1))})`));
  const base = running[0];
  console.log(`Compared with ${base.name} in the same round:\n`);
  table(head, running.map(lane => [lane.name, ...sizes.map((_, i) => {
    const ratios = sorted(lane.results[i].map((result, round) => result.perPush / base.results[i][round].perPush));
    return `${median(ratios).toFixed(2)} (${ratios[0].toFixed(2)} - ${ratios.at(-1).toFixed(2)})`;
  })]));
  console.log("CPU per delivery (a chat at a member) in us:\n");
  table(head, wide((all, i) => (median(all) / sizes[i]).toPrecision(3)));
  console.log("Bytes of a push as received, and frames for each push:\n");
  table(head, running.map(lane => [lane.name, ...sizes.map((_, i) => {
    const all = lane.results[i];
    return `${Math.round(mean(all.map(result => result.bytes)))}; ${mean(all.map(result => result.frames)).toFixed(2)}`;
  })]));
}

function table(head, rows) {
  const line = cells => `| ${cells.join(" | ")} |`;
  console.log([line(head), line(head.map((_, i) => i === 0 ? "---" : "---:")), ...rows.map(line), ""].join("\n"));
}

function us(value) {
  return value.toFixed(value < 100 ? 2 : 0);
}

function sorted(all) {
  return all.toSorted((a, b) => a - b);
}

function median(all) {
  return all[all.length >> 1];
}

function mean(all) {
  return all.reduce((sum, value) => sum + value, 0) / all.length;
}
