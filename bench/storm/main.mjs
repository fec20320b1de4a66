// The run of bench/storm.sh, which says what it does. Farm and load are those of tests/faults.sh.
import { setTimeout as delay } from "node:timers/promises";
import { Farm } from "../../tests/Faults/farm.mjs";
import { Load, judge } from "../../tests/Faults/load.mjs";
import { conditions, machineCpu } from "../measure/conditions.mjs";
import { until } from "../measure/processes.mjs";
import { TlsClients } from "./tls.mjs";

const ways = { direct: "directly", nginx: "through nginx", tls: "through nginx with TLS" };
const atMostSeconds = 600;
const backWithin = 90;
const quietFor = 3000;

const args = process.argv.slice(2);
const count = /^\d+$/.test(args[0]) ? Number(args.shift()) : 19_000;
const chosen = args.length > 0 ? args : Object.keys(ways);
if (!(count >= 1 && count <= 19_000) || chosen.some(way => !Object.hasOwn(ways, way))) {
  console.error("usage: bench/storm.sh [1 to 19000 connections] [direct|nginx|tls]...");
  process.exit(2);
}

let farm;
process.on("exit", () => farm?.clear());
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
setTimeout(() => {
  console.error(`It took more than ${atMostSeconds} s, and is stopped.`);
  process.exit(1);
}, atMostSeconds * 1000).unref();

for (const sentence of await conditions()) console.log(`Warning: ${sentence}`);
const rows = [];
let passed = true;
for (const way of chosen) passed = await storm(way) && passed;
console.log(`\n${table(rows)}\n\n${passed ? "passed" : "FAILED"}`);
process.exit(passed ? 0 : 1);

/** All clients are on one node, two others have just started, and the first one dies. */
async function storm(way) {
  console.log(`\n== ${count} clients come back ${ways[way]}`);
  farm = new Farm();
  const [dying, ...fresh] = farm.nodes;
  await farm.start({ nodes: [dying], tls: way === "tls" });
  const tls = way === "tls" ? await TlsClients.start(farm.directory, farm.tlsClients) : undefined;
  const urls = way === "direct" ? farm.direct : [tls?.url ?? farm.clients];
  // Messages are due until long after the last client should be back.
  const load = new Load(farm, urls, farm.api, "--connections", count, "--rooms", 1, "--rate", 10, "--duration", 30);
  await load.runs();
  await Promise.all(fresh.map(node => farm.startPart(node)));
  await delay(quietFor);

  const parts = ["redis", ...fresh, ...way === "direct" ? [] : ["nginx"]];
  const back = async () => (await Promise.all(fresh.map(node => farm.connections(node)))).reduce((sum, connections) => sum + connections) >= count;
  const cpu = () => ({
    machine: machineCpu().busy, tls: tls?.cpuSeconds() ?? 0, ...Object.fromEntries(parts.map(part => [part, farm.cpuSeconds(part)])),
  });
  const before = cpu(), begun = Date.now();
  await farm.kill(dying);
  await until(async () => load.hasEnded || await back(), backWithin, () => `The clients were not back after ${backWithin} s.`);
  const after = cpu(), connected = (Date.now() - begun) / 1000;
  const result = await load.result();
  const used = Object.fromEntries(Object.keys(after).map(part => [part, after[part] - before[part]]));
  rows.push([
    ways[way], seconds(result.absence.p50), seconds(result.absence.p99), seconds(result.absence.max), seconds(result.longestSilence.max),
    perClient(fresh.reduce((sum, node) => sum + used[node], 0)),
    way === "direct" ? "-" : perClient(used.nginx), tls ? perClient(used.tls) : "-", perClient(used.redis), perClient(used.machine),
  ]);
  const fine = judge(result, [["clients that came back", result.absence.count, result.absence.count === count],
    ["all connected", `${connected.toFixed(1)} s after the node's death`, true]]);
  console.log(`connects that failed: ${JSON.stringify(result.total.connectFailures)}`);
  const begin = result.seconds.findIndex(second => second.members < count && second.phase === "run");
  const members = result.seconds.slice(Math.max(0, begin)).map(second => second.members);
  console.log(`in their room, second by second: ${members.slice(0, members.indexOf(count) + 1 || undefined).join(" ")}`);
  await farm.stop();
  return fine;
}

function seconds(microseconds) { return (microseconds / 1e6).toFixed(2); }

function perClient(cpuSeconds) { return (cpuSeconds / count * 1e6).toFixed(0); }

/** In Markdown. */
function table(lines) {
  const head = [
    "way", "without its room, s: p50", "p99", "the last", "longest silence, s",
    "CPU for a client, us: the fresh nodes", "nginx", "clients' TLS", "Redis", "the whole machine",
  ];
  return [head, head.map((_, i) => i === 0 ? "---" : "--:"), ...lines].map(cells => `| ${cells.join(" | ")} |`).join("\n");
}
