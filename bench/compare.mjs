// CPU per push of two builds of the node, side by side: node bench/compare.mjs OLD NEW [ROOMSxMEMBERS]... [--rounds N] [--messages N]
// OLD and NEW are repositories with a Release build of src/PushNode. Both nodes run at once on the same Redis and push the same messages of
// 600 bytes, one (or --messages) per second and room, so that the machine's noise hits both alike. A round takes about a minute and a half. Loopback
// and free ports only; it stops what it started. Needs redis-server and cc.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { freePort } from "./measure/processes.mjs";

// Until .NET has compiled for good what is busy (docs/performance.md), and what runs once in one or two seconds: a method is compiled again after
// its 30th call. With less, a build with more such methods seems to cost more per push.
const WarmSeconds = 75;
const Seconds = 10;
const Message = JSON.stringify({ text: "x".repeat(589) });

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" }, messages: { type: "string", default: "1" }, sends: { type: "string", default: "Auto" } },
});
const [before, after, ...shapes] = positionals;
if (!after) {
  console.error("usage: node bench/compare.mjs OLD NEW [ROOMSxMEMBERS]... [--rounds N] [--messages N] [--sends Auto|Send|IoUring]");
  process.exit(2);
}

const children = new Set();
process.on("exit", () => children.forEach(child => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => process.exit(1));

function run(program, parameters) {
  const child = spawn(program, parameters, { stdio: ["ignore", "ignore", "inherit"] });
  children.add(child);
  child.on("exit", () => children.delete(child));
  return child;
}

const here = dirname(fileURLToPath(import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), "compare-"));
const cputime = join(temporary, "cputime");
execFileSync("cc", ["-O2", "-o", cputime, join(here, "cputime/cputime.c")]);

/** CPU of a process so far, in microseconds, ended threads included. */
const cpu = pid => Number(execFileSync(cputime, [String(pid)], { encoding: "utf8" })) / 1000;

async function open(port) {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(port, "127.0.0.1").setNoDelay();
    try {
      await once(socket, "connect");
      return socket;
    } catch (e) {
      if (attempt === 150)
        throw e;
      await sleep(100);
    }
  }
}

async function start(repository, redis) {
  const port = await freePort();
  const node = run("dotnet", [
    join(repository, "src/PushNode/bin/Release/net10.0/PushNode.dll"), "--urls", `http://127.0.0.1:${port}`, "--Management:Port=0",
    `--ConnectionStrings:Redis=127.0.0.1:${redis}`, `--Push:FanOut:Sends=${values.sends}`,
    // The clients here answer no pings.
    "--Push:Connections:PingAfter=00:10:00", "--Push:Connections:CloseAfter=00:20:00", "--Logging:LogLevel:Default=Error",
  ]);
  (await open(port)).destroy();
  return { node, port, bytes: 0, sockets: [] };
}

async function enter(server, room) {
  const socket = await open(server.port);
  server.sockets.push(socket);
  socket.on("error", () => {});
  socket.write(`GET /ws?room=${room} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  const [answer] = await once(socket, "data");
  if (!answer.toString("latin1").startsWith("HTTP/1.1 101"))
    throw new Error(`The node refused a client: ${answer}`);
  socket.on("data", data => server.bytes += data.length);
}

/** One round: the microseconds of CPU per push of each repository, in their order. */
async function measure(repositories, rooms, members, redis) {
  const servers = [];
  const publisher = await open(redis);
  publisher.resume();
  try {
    for (const repository of repositories)
      servers.push(await start(repository, redis));
    await sleep(1000);
    for (let room = 0; room < rooms; room++)
      await Promise.all(servers.flatMap(server => Array.from({ length: members }, () => enter(server, `r${room}`))));

    const commands = Array.from({ length: rooms }, (_, room) => {
      const channel = `push:room:r${room}`;
      return `*3\r\n$7\r\nPUBLISH\r\n$${channel.length}\r\n${channel}\r\n$${Message.length}\r\n${Message}\r\n`.repeat(messages);
    });
    const parts = Math.min(20, rooms);
    const publish = async seconds => {
      const began = performance.now();
      for (let part = 0; part < seconds * parts; part++) {
        publisher.write(commands.filter((_, room) => room % parts === part % parts).join(""));
        await sleep(Math.max(0, began + (part + 1) * 1000 / parts - performance.now()));
      }
    };
    await publish(WarmSeconds);
    await sleep(1500);
    const used = servers.map(server => cpu(server.node.pid));
    const received = servers.map(server => server.bytes);
    await publish(Seconds);
    await sleep(1500);
    const pushes = rooms * members * Seconds;
    return servers.map((server, i) => {
      const frames = (server.bytes - received[i]) / pushes;
      if (frames < Message.length * messages)
        throw new Error(`${repositories[i]} sent ${frames.toFixed(0)} bytes per push: it lost messages.`);
      return (cpu(server.node.pid) - used[i]) / pushes;
    });
  } finally {
    publisher.destroy();
    for (const { node, sockets } of servers) {
      sockets.forEach(socket => socket.destroy());
      node.kill("SIGKILL");
      await once(node, "exit");
    }
  }
}

const messages = Number(values.messages);
const median = sorted => sorted[Math.floor(sorted.length / 2)];
const redisPort = await freePort();
const redis = run("redis-server", ["--port", String(redisPort), "--save", "", "--bind", "127.0.0.1", "--loglevel", "warning"]);
try {
  for (const shape of shapes.length > 0 ? shapes : ["300x8", "1x2400"]) {
    const [rooms, members] = shape.split("x").map(Number);
    const results = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      const [first, second] = await measure(round % 2 === 0 ? [before, after] : [after, before], rooms, members, redisPort);
      const [old, current] = round % 2 === 0 ? [first, second] : [second, first];
      results.push({ old, current, ratio: current / old });
      console.log(`${shape} round ${round + 1}: old ${old.toFixed(2)} us, new ${current.toFixed(2)} us, new / old ${(current / old).toFixed(3)}`);
    }
    const sorted = key => results.map(result => result[key]).sort((a, b) => a - b);
    const ratios = sorted("ratio");
    console.log(`${shape}: old ${median(sorted("old")).toFixed(2)} us per push, new ${median(sorted("current")).toFixed(2)} us; `
      + `new / old ${median(ratios).toFixed(3)} (${ratios[0].toFixed(3)} to ${ratios.at(-1).toFixed(3)})`);
  }
} finally {
  redis.kill();
  rmSync(temporary, { recursive: true });
}
