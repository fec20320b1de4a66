// The programs of this repository as processes, and Redis, on ports of their own.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.mjs";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const configuration = process.env.PUSH_CONFIGURATION ?? "Release";

// tests/JavaScriptClient.Tests reserves ports, because other tests run beside these.
const reserved = (process.env.PUSH_PORTS ?? "").split(",").filter(Boolean).map(Number);

export async function freePort() {
  if (reserved.length) return reserved.shift();
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise(listening => server.once("listening", listening));
  const { port } = server.address();
  await new Promise(closed => server.close(closed));
  return port;
}

/** A process that can be killed, stalled and started again with the same arguments. */
class Program {
  #process;
  log = "";

  constructor(command, args, environment, isReady) {
    Object.assign(this, { command, args, environment, isReady });
  }

  async start() {
    const child = spawn(this.command, this.args, { env: { ...process.env, ...this.environment }, cwd: tmpdir() });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) stream.on("data", text => this.log += text);
    let failed;
    child.on("error", error => failed = error);
    await eventually(() => {
      if (failed || child.exitCode !== null) throw new Error(`${this.command} ended: ${failed ?? ""} ${this.log}`);
      return this.isReady();
    }, `${this.command} is ready`, () => this.log);
    return this;
  }

  signal(name) { this.#process.kill(name); }

  async kill() {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise(exit => child.once("exit", exit));
    child.kill("SIGKILL");
    await exited;
  }
}

const answers = (url) => fetch(url).then(response => response.ok, () => false);

async function dotnet(name, settings, args = []) {
  const management = await freePort();
  const environment = Object.fromEntries(Object.entries({ "Management:Port": management, ...settings }).map(([key, value]) => [key.replaceAll(":", "__"), String(value)]));
  const assembly = join(root, `src/${name}/bin/${configuration}/net10.0/${name}.dll`);
  const ready = `http://127.0.0.1:${management}/readyz`;
  return Object.assign(new Program("dotnet", [assembly, ...args], environment, () => answers(ready)), { ready });
}

/** PushFarm on the memory backplane, not started yet. */
export async function farm(settings = {}) {
  const [port, api] = [await freePort(), await freePort()];
  const program = await dotnet("PushFarm", { "Farm:NodeUrl": `http://127.0.0.1:${port}`, "Farm:ApiUrl": `http://127.0.0.1:${api}`, ...settings });
  return Object.assign(program, { port, url: `ws://127.0.0.1:${port}/ws`, api: `http://127.0.0.1:${api}`, publish: publisher(api) });
}

/** PushNode on a Redis, not started yet. */
export async function node(redis, settings = {}) {
  const port = await freePort();
  const program = await dotnet("PushNode", { "ConnectionStrings:Redis": `127.0.0.1:${redis.port}`, ...settings }, ["--urls", `http://127.0.0.1:${port}`]);
  return Object.assign(program, { port, url: `ws://127.0.0.1:${port}/ws` });
}

/** Publishes items to a room, or to all without one; returns the status. */
function publisher(port) {
  return async (room, ...items) => {
    const path = room === undefined ? "broadcast" : `rooms/${encodeURIComponent(room)}/messages`;
    const body = items.map(item => JSON.stringify(item) + "\n").join("");
    const response = await fetch(`http://127.0.0.1:${port}/v1/${path}`, { method: "POST", headers: { "content-type": "application/x-ndjson" }, body });
    await response.arrayBuffer();
    return response.status;
  };
}

export async function redis() {
  const port = await freePort();
  const cli = (...command) => new Promise((done, failed) => {
    const child = spawn("redis-cli", ["-h", "127.0.0.1", "-p", String(port), ...command]);
    let output = "";
    child.stdout.on("data", text => output += text);
    child.on("error", failed);
    child.on("close", () => done(output.trim()));
  });
  const program = new Program("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", ""], {}, async () => await cli("PING") === "PONG");
  return Object.assign(program, { port, cli });
}
