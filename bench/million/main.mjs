// The run of bench/million.sh, which checks, asks and builds before.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { scratchDirectory } from "../measure/processes.mjs";
import { Farm, programs } from "./farm.mjs";
import { availableMemory } from "./needs.mjs";
import { readOptions } from "./options.mjs";
import { report } from "./report.mjs";
import { Watch } from "./watch.mjs";

/** Below this the machine would kill a process of its own choice. */
const leastMemory = 400e6;
const sayEvery = 5;
const told = ["push_connections", "push_messages_dropped", "push_frames_dropped", "push_connections_closed", "push_handshakes", "push_shard_frames"];

const options = readOptions(process.argv.slice(2));
const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const started = Date.now();
const scratch = scratchDirectory("redispush-million-");
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
setTimeout(() => end(`Stopped after ${options.atMost} s, the most that it may take.`), options.atMost * 1000).unref();

const farm = new Farm(options, scratch, programs(repository, options.built));
let load, watch;
let phase = "connect";
try {
  say(`starting Redis, the API and ${options.processes} nodes`);
  await farm.start();
  const json = join(scratch, "load.json");
  load = farm.load(json);
  watch = new Watch(farm.nodes, load);
  const moments = {};
  watch.start(sample => observe(sample, moments));
  say(`${options.processes} nodes are ready; connecting`);
  readLoad();
  const code = await load.ended;
  watch.stop();
  const result = readResult(json);
  if (!result) end(`PushLoad ended with code ${code}: ${load.lastWords}`);
  const { samples } = watch;
  const { text, passed } = report({
    options, result, watch, counters: await farm.counters(...told), deaths: farm.deaths,
    before: moments.before ?? samples[0], connected: moments.connected ?? samples.at(-1),
  });
  console.log(text);
  save({ options, result, samples, text });
  process.exit(passed ? 0 : 1);
} catch (error) {
  end(error.message);
}

/** Looks at each sample: says how far it is, and ends the run before the machine does. */
function observe(sample, moments) {
  moments.before ??= sample;
  if (phase !== "connect") moments.connected ??= sample;
  if (availableMemory() < leastMemory) end("Stopped: the machine's memory is used up.");
  if (farm.deaths.length > 0 && phase === "connect") end(farm.deaths.join("\n"));
}

/** PushLoad's lines: one a second, of which some are shown. */
async function readLoad() {
  for (let count = 0; !load.hasEnded; count++) {
    // It fails when the load has ended.
    const line = await load.readLine().catch(() => "");
    const [, now] = /^[\d.,]+ s\s+(\w+)/.exec(line) ?? [];
    if (now && (now !== phase || count % sayEvery === 0)) say(`${line.replace(/\s+p50.*/, "")}${room()}`);
    if (now === "pause" && phase === "connect") farm.warm().catch(error => end(error.message));
    phase = now ?? phase;
  }
}

/** What it takes, for a line of progress. */
function room() {
  const { nodeBytes, loadBytes, kernelBytes, available } = watch.samples.at(-1) ?? {};
  if (!available) return "";
  const [nodes, clients, kernel, left] = [nodeBytes, loadBytes, kernelBytes, available].map(bytes => (bytes / 2 ** 30).toFixed(1));
  return `  | GB: nodes ${nodes}, load ${clients}, kernel ${kernel}, available ${left}`;
}

function readResult(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined; // the run was not carried out; PushLoad said why
  }
}

function say(text) {
  console.log(`${String(Math.round((Date.now() - started) / 1000)).padStart(4)} s  ${text}`);
}

function save(found) {
  const directory = join(repository, "artifacts/bench/results");
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `million-${new Date().toISOString().slice(0, 10)}-${process.pid}.json`);
  writeFileSync(file, JSON.stringify(found));
  console.log(`All samples: ${file.slice(repository.length + 1)}`);
}

/** A run without a result: says why, what the kernel and the nodes tell, and leaves. */
function end(reason) {
  console.error(reason);
  if (watch) {
    console.error(`kernel: ${JSON.stringify(watch.troubles())}`);
    save({ options, reason, samples: watch.samples });
  }
  for (const death of farm.deaths) console.error(death);
  process.exit(1);
}
