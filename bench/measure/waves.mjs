import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ChildProcess, freePort, listens, until } from "./processes.mjs";

/** Compiles a program of the bench into a directory. Returns its path. */
export function compile(bench, name, directory) {
  const program = join(directory, name);
  execFileSync("sh", ["-c", `cc -std=c11 -O2 -o ${program} ${join(bench, name)}/*.c`]);
  return program;
}

/** Starts a Redis that keeps nothing. Returns its port. */
export async function startRedis() {
  const port = await freePort();
  await startListening("redis-server", ["--port", `${port}`, "--save", "", "--bind", "127.0.0.1", "--loglevel", "warning"], port);
  return port;
}

/** Starts a node for handshakes. Returns its process and port. */
export async function startNode(program, redis, settings = []) {
  const port = await freePort();
  const args = [program, "--urls", `http://127.0.0.1:${port}`, "--Management:Port=0", `--ConnectionStrings:Redis=127.0.0.1:${redis}`, "--Logging:LogLevel:Default=Error"];
  return { port, node: await startListening("dotnet", [...args, ...settings], port) };
}

/** Starts a program, and waits until its port takes connections. */
export async function startListening(command, args, port) {
  const child = new ChildProcess(command, args);
  await until(async () => child.hasEnded || await listens(port), 30, () => `${child.name} does not listen: ${child.lastWords}`);
  if (child.hasEnded) throw new Error(`${child.name} ended: ${child.lastWords}`);
  return child;
}

/** Clients connect, and leave when all are there. Returns what was measured before and after. */
export async function wave(client, args, measure) {
  const before = measure();
  const clients = new ChildProcess(client, args.map(String));
  await clients.readLine();
  await delay(300); // work right after the last handshake belongs to it
  const after = measure();
  clients.kill();
  await delay(700);
  return { before, after };
}
