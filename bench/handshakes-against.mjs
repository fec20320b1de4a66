// CPU of a handshake and JOIN of fresh and of warm servers. In each round all servers start anew and run at once, and each in turn gets waves of N
// clients that connect, join a room and leave, so that the machine's noise hits all alike. The first wave is the fresh one. Of a node it tells what its
// loops used and what the runtime's compiler used meanwhile. Loopback and free ports only; it stops what it started. Needs redis-server and cc, and
// for nchan nginx with libnginx-mod-nchan.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { argumentsOf } from "./measure/arguments.mjs";
import { freePort, scratchDirectory } from "./measure/processes.mjs";
import { median } from "./measure/report.mjs";
import { compile, startListening, startNode, startRedis, wave } from "./measure/waves.mjs";

const NchanModule = "/usr/lib/nginx/modules/ngx_nchan_module.so";
const here = dirname(fileURLToPath(import.meta.url));
const { parse, number, refuse } = argumentsOf(`usage: node bench/handshakes-against.mjs NAME=DIRECTORY... [nchan]
    [--connections N] [--at-once N] [--waves N] [--rounds N] [--settle N]

  NAME=DIRECTORY   a published PushNode; several compare builds
  nchan            nginx with nchan
  --connections N  clients of a wave (4000)
  --at-once N      handshakes on their way at a time (1)
  --waves N        waves of each server in a round (3)
  --rounds N       rounds (3)
  --settle N       seconds from the start to the first wave (5)`);
const text = { type: "string" };
const { values, positionals } = parse({ allowPositionals: true, options: { connections: text, "at-once": text, waves: text, rounds: text, settle: text } });
const count = number(values, "connections", 4000, 1, 19_000);
const atOnce = number(values, "at-once", 1, 1, count);
const waves = number(values, "waves", 3, 2, 1000);
const rounds = number(values, "rounds", 3, 1, 1000);
const settle = number(values, "settle", 5, 0, 600);
if (positionals.length === 0) refuse("Name at least one server.");
const unknown = positionals.find(server => server !== "nchan" && !server.includes("="));
if (unknown) refuse(`"${unknown}" is neither nchan nor NAME=DIRECTORY.`);

const temporary = scratchDirectory("handshakes-");
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => process.exit(1));
const client = compile(here, "client", temporary);

/** CPU of a process's threads so far, in microseconds, by name; threads of a pool are added up. */
function used(pid) {
  const threads = {};
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const name = readFileSync(`/proc/${pid}/task/${thread}/comm`, "utf8").trim().replace(/ \d+$/, "");
    threads[name] = (threads[name] ?? 0) + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1000;
  }
  return threads;
}

async function startNchan() {
  const [port, directory] = [await freePort(), join(temporary, `nchan-${Math.random()}`)];
  mkdirSync(directory);
  const template = readFileSync(join(here, "peers/nchan/nginx.conf"), "utf8");
  writeFileSync(join(directory, "nginx.conf"), template.replaceAll("@MODULE@", NchanModule).replaceAll("@PORT@", String(port)));
  const master = await startListening("nginx", ["-p", directory, "-e", "stderr", "-c", "nginx.conf"], port);
  const worker = Number(readFileSync(`/proc/${master.pid}/task/${master.pid}/children`, "utf8").trim().split(" ")[0]);
  return { name: "nchan", port, pid: worker, child: master, path: "/subscribe", joined: [] };
}

async function startBuild(name, directory, redis) {
  const { node, port } = await startNode(join(directory, "PushNode.dll"), redis);
  return { name, port, pid: node.pid, child: node, path: "/ws?room=r", joined: ["--await", "JOINED"] };
}

/** One wave: microseconds per handshake, of the whole process, its loops and the compiler. */
async function measure({ pid, port, path, joined }) {
  const { before, after } = await wave(client, [port, path, count, "--at-once", atOnce, ...joined], () => used(pid));
  const per = names => Object.entries(after).reduce((sum, [name, time]) => names(name) ? sum + Math.max(0, time - (before[name] ?? 0)) : sum, 0) / count;
  return { all: per(() => true), loops: per(name => name.startsWith("epoll")), compiler: per(name => name.startsWith(".NET Tiered")) };
}

const redis = await startRedis();
const results = {};
for (let round = 0; round < rounds; round++) {
  const servers = [];
  for (const argument of positionals)
    servers.push(argument === "nchan" ? await startNchan() : await startBuild(...argument.split("="), redis));
  await sleep(1000 * settle);
  for (let i = 0; i < waves; i++) {
    for (const server of i % 2 === 0 ? servers : servers.toReversed())
      ((results[server.name] ??= [])[i] ??= []).push(await measure(server));
  }
  await Promise.all(servers.map(({ child }) => child.stop()));
}

const shown = (waves, what) => {
  const list = waves.map(result => result[what]);
  return `${median(list).toFixed(1)} (${Math.min(...list).toFixed(0)} - ${Math.max(...list).toFixed(0)})`;
};
for (const [name, waves] of Object.entries(results)) {
  for (const [kind, list] of [["fresh", waves[0]], ["warm", waves.slice(1).flat()]])
    console.log(`${name}, ${kind}: ${shown(list, "all")} us per handshake` + (name === "nchan" ? "" : `; loops ${shown(list, "loops")}, compiler ${shown(list, "compiler")}`));
}
process.exit();
