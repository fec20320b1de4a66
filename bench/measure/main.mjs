// Runs every measurement on every server in turn, for several rounds. Started by bench/run.sh, which installs and builds what this needs.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { aloneSeconds, measureFarm, measureLockWait } from "./alone.mjs";
import { conditions } from "./conditions.mjs";
import { describeMachine } from "./machine.mjs";
import { MemoryMeasurement, measureAccepting, measureDeliveries, measurePushes } from "./measurements.mjs";
import { readOptions } from "./options.mjs";
import { ChildProcess, freePort, scratchDirectory, stopAll } from "./processes.mjs";
import { report } from "./report.mjs";
import { servers } from "./servers.mjs";
import { Session, now } from "./session.mjs";

const bench = dirname(dirname(fileURLToPath(import.meta.url)));
const repository = dirname(bench);
const artifacts = join(repository, "artifacts/bench");
const docs = join(repository, "docs/performance.md");
const stages = ["memory", "accepting", "pushes", "deliveries100", "deliveries1000"];

/** Seconds of load after a change of rate, for a server that is warm. */
const settled = 3;

const options = readOptions(process.argv.slice(2));
const scratch = scratchDirectory("redispush-bench-");
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

const started = now();
const machine = { ...describeMachine({ repository, bench }), warnings: await conditions() };
for (const sentence of machine.warnings) console.log(`Warning: ${sentence}`);
const redisPort = await freePort();
const redisOptions = ["--port", redisPort, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", scratch];
const redis = new ChildProcess("redis-server", redisOptions.map(String));
const all = servers({ artifacts, bench, scratch, redisPort });
const entries = select(all, options.only);
const results = Object.fromEntries(Object.keys(entries).map(key => [key, Object.fromEntries(stages.map(stage => [stage, []]))]));
const failures = [];
const unavailable = new Set();
let alone = {};
limitTime();

if (!options.largeRoomOnly) alone = await measureAlone();
for (let round = 1; round <= options.rounds; round++) {
  if (!options.largeRoomOnly) await memoryOfAll(round);
  for (const key of available()) {
    await withSession(key, "a large room", round, async session => {
      keep(key, "accepting", round, await measureAccepting(session, options.connections));
      keep(key, "pushes", round, await measurePushes(session, options.seconds, warmUp(entries[key])));
    });
    if (options.largeRoomOnly || entries[key].pushesOnly) continue;
    await withSession(key, "a small room", round, async session => {
      const { merges, kind } = entries[key];
      const merged = kind === "floor";
      await session.connect(options.smallRoom);
      if (merges) keep(key, "deliveries1000", round, await measureDeliveries(session, 1000, options.seconds, warmUp(entries[key]), { merged }));
      const before = merges ? settled : warmUp(entries[key]);
      keep(key, "deliveries100", round, await measureDeliveries(session, 100, options.seconds, before, { merged }));
    });
  }
  saveRaw();
}

await stopAll();
const text = report({ entries, results, alone, failures, options, machine, minutes: Math.ceil((now() - started) / 60) });
console.log(`\n${text}\n`);
if (options.writeDocs) writeDocs(text);
process.exit(available().length > 0 ? 0 : 1);

/** All servers at the same time: they are idle, and the idle time is what takes long. */
async function memoryOfAll(round) {
  const what = "idle connections";
  const measurements = new Map();
  for (const key of available().filter(name => entries[name].kind !== "floor")) {
    say(round, key, what);
    const session = await start(key, what, round);
    if (!session) continue;
    const begun = await attempt(key, what, round, async () => {
      measurements.set(key, await MemoryMeasurement.start(session, options.connections, options.idle));
    });
    if (!begun) await session.stop();
  }
  const complete = [];
  for (const [key, measurement] of measurements) {
    if (await attempt(key, what, round, () => measurement.addConnections(options.connections))) complete.push([key, measurement]);
  }
  for (const [key, measurement] of complete) {
    await attempt(key, what, round, async () => keep(key, "memory", round, await measurement.result()));
  }
  await Promise.all([...measurements.values()].map(measurement => measurement.stop()));
}

async function withSession(key, what, round, measure) {
  if (unavailable.has(key)) return;
  say(round, key, what);
  const session = await start(key, what, round);
  if (!session) return;
  await attempt(key, what, round, () => measure(session));
  await session.stop();
}

/** Measured once, and only with this project, over the first of its transports that are selected. */
async function measureAlone() {
  const key = available().find(name => entries[name].kind === "ours");
  if (!key) return {};
  const found = { title: entries[key].title };
  const of = { artifacts, scratch, redisPort };
  await attempt(key, "lock wait", 1, async () => {
    say(1, key, "lock wait under churn");
    found.lockWait = await measureLockWait(entries[key], { ...of, connections: options.connections });
  });
  await attempt(key, "farm", 1, async () => {
    say(1, key, "four nodes, one room");
    found.farm = await measureFarm(entries[key], { ...of, connectionsPerNode: options.farm });
  });
  return found;
}

/** A session of this server; undefined when it does not start, and then it is not started again. */
async function start(key, what, round) {
  let session;
  await attempt(key, what, round, async () => {
    session = await Session.start(entries[key], artifacts);
    if (entries[key].redis) session.redis = redis;
  }) || unavailable.add(key);
  return session;
}

/** One measurement. A failure is reported, and the rest goes on. */
async function attempt(key, what, round, work) {
  try {
    await work();
    return true;
  } catch (error) {
    failures.push({ title: entries[key].title, what, round, reason: error.message });
    console.log(`  ${entries[key].title}: ${error.message}`);
    return false;
  }
}

/** Seconds of load before what is measured. */
function warmUp({ isDotnet }) {
  return isDotnet ? options.warmUp : Math.min(options.warmUp, 8);
}

function keep(key, stage, round, result) {
  results[key][stage].push({ round, ...result });
}

function available() {
  return Object.keys(entries).filter(key => !unavailable.has(key));
}

function say(round, key, what) {
  const seconds = String(Math.round(now() - started)).padStart(5);
  console.log(`${seconds} s  round ${round} of ${options.rounds}  ${entries[key].title}: ${what}`);
}

function select(from, names) {
  if (!names) return from;
  const unknown = names.filter(name => !(name in from));
  if (unknown.length > 0) {
    console.error(`--only accepts ${Object.keys(from).join(", ")}.`);
    process.exit(2);
  }
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}

/** Prints the expected time, and ends a run that takes twice as long. */
function limitTime() {
  const { connections, seconds, idle, rounds } = options;
  const connecting = connections / 4000;
  const largeRoom = entry => 5 + 2 * connecting + warmUp(entry) + seconds;
  const smallRoom = entry => entry.pushesOnly || options.largeRoomOnly ? 0 : 3 + warmUp(entry) + seconds + (entry.merges ? settled + seconds : 0);
  const perRound = Object.values(entries).reduce((sum, entry) => sum + largeRoom(entry) + smallRoom(entry), options.largeRoomOnly ? 0 : 2 * idle);
  const expected = rounds * perRound + (options.largeRoomOnly ? 0 : aloneSeconds);
  const limit = 2 * expected + 120;
  console.log(`This takes about ${Math.ceil(expected / 60)} minutes, at most ${Math.ceil(limit / 60)}. Load of the machine: ${machine.loadBefore}.`);
  setTimeout(() => {
    console.error(`Aborted after ${Math.ceil(limit / 60)} minutes, twice the expected time.`);
    process.exit(1);
  }, limit * 1000).unref();
}

function saveRaw() {
  const directory = join(artifacts, "results");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${machine.date}-${process.pid}.json`), JSON.stringify({ options, machine, results, alone, failures }, null, 2));
}

function writeDocs(table) {
  const [begin, end] = ["<!-- bench/run.sh writes from here -->", "<!-- to here -->"];
  const page = readFileSync(docs, "utf8");
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${docs} lacks the two comments that enclose the tables`);
  writeFileSync(docs, `${page.slice(0, from + begin.length)}\n\n${table}\n\n${page.slice(to)}`);
}
