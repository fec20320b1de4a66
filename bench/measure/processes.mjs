import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Milliseconds. A page of .NET that is asked much more often becomes hot, and is compiled while something else is measured. */
const pollInterval = 100;

const cputime = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "artifacts/bench/cputime");
const running = new Set();
let packetThreads;

/** A process of the bench. Its last output is kept; it ends with the bench, even when the bench is killed. */
export class ChildProcess {
  #child;
  #lines = [];
  #waiting = [];
  #words = "";

  constructor(command, args, { env = {}, cwd } = {}) {
    this.name = command.split("/").at(-1);
    this.#child = spawn("setpriv", ["--pdeathsig", "TERM", command, ...args], { cwd, env: { ...process.env, ...env }, stdio: "pipe" });
    running.add(this);
    this.ended = new Promise(resolve => this.#child.once("close", code => {
      running.delete(this);
      this.hasEnded = true;
      this.#waiting.splice(0).forEach(waiter => waiter.reject(new Error(`${this.name} ended: ${this.lastWords}`)));
      resolve(code);
    }));
    this.#child.stderr.on("data", text => { this.#words = (this.#words + text).slice(-2000); });
    this.#child.stdin.on("error", () => {}); // the process has ended; its waiters get an error
    createInterface({ input: this.#child.stdout }).on("line", line => this.#onLine(line));
  }

  get pid() {
    return this.#child.pid;
  }

  /** Its last output, for an error message. */
  get lastWords() {
    return (this.#words || this.#lines.slice(-3).join("\n")).trim() || "no output";
  }

  write(line) {
    this.#child.stdin.write(`${line}\n`);
  }

  /** The next unread line of its standard output. */
  readLine() {
    if (this.#lines.length > 0) return Promise.resolve(this.#lines.shift());
    if (this.hasEnded) return Promise.reject(new Error(`${this.name} ended: ${this.lastWords}`));
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Ends it and its children at once. */
  kill() {
    if (this.hasEnded) return;
    for (const pid of this.#tree()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended between the listing and the signal.
      }
    }
  }

  async stop() {
    if (!this.hasEnded) this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.kill(), 5000);
    await this.ended;
    clearTimeout(late);
  }

  /** User and system time of the process and its children so far, in seconds. */
  cpuSeconds() {
    return cpuSeconds(this.#tree());
  }

  /** The user time alone, which the kernel knows in steps of 10 ms. */
  userSeconds() {
    const all = statOfAll();
    return this.#tree().reduce((sum, pid) => sum + (all.get(pid)?.userSeconds ?? 0), 0);
  }

  /** Private memory that the process and its children have written to, in bytes. */
  privateBytes() {
    return this.#tree().reduce((sum, pid) => sum + privateKilobytes(pid), 0) * 1024;
  }

  #onLine(line) {
    const waiter = this.#waiting.shift();
    if (waiter) {
      waiter.resolve(line);
      return;
    }
    this.#lines.push(line);
    if (this.#lines.length > 100) this.#lines.shift();
  }

  #tree() {
    const all = statOfAll();
    const tree = [this.pid];
    for (const parent of tree) tree.push(...[...all].filter(([, stat]) => stat.parent === parent).map(([pid]) => pid));
    return tree;
  }
}

/** Kills every process that still runs. */
export function killAll() {
  for (const child of running) child.kill();
}

/** A directory of the bench. When the bench ends, its processes end, and then the directory goes. */
export function scratchDirectory(prefix) {
  const scratch = mkdtempSync(join(tmpdir(), prefix));
  process.on("exit", () => {
    killAll();
    rmSync(scratch, { recursive: true, force: true });
  });
  return scratch;
}

/** Stops every process with SIGTERM. */
export const stopAll = () => Promise.all([...running].map(child => child.stop()));

/** CPU of the kernel's packet threads so far, in seconds: work that no server's account shows. */
export function packetThreadSeconds() {
  return cpuSeconds(packetThreads ??= [...statOfAll()].filter(([, { name }]) => name.startsWith("ksoftirqd/")).map(([pid]) => pid));
}

/** A free loopback port. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Loopback ports below those of clients, so that thousands of clients take none of them before its program starts. */
export async function freePorts(count) {
  const ports = [];
  for (let port = 20_000 + Math.floor(Math.random() * 8000); ports.length < count; port++) {
    if (port > 32_000) throw new Error("There are not enough free ports below 32000.");
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

const isFree = port => new Promise(resolve => {
  const server = createServer().once("error", () => resolve(false)).listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
});

/** Waits until the condition holds; fails with the sentence after the deadline. */
export async function until(condition, seconds, sentence) {
  const deadline = Date.now() + seconds * 1000;
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error(sentence());
    await delay(pollInterval);
  }
}

function cpuSeconds(pids) {
  return Number(execFileSync(cputime, pids.map(String), { encoding: "utf8" })) / 1e9;
}

/** Name, parent and user time of every process. */
function statOfAll() {
  const all = new Map();
  for (const pid of readdirSync("/proc").filter(name => /^\d+$/.test(name)).map(Number)) {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, "latin1");
      const end = text.lastIndexOf(")");
      const fields = text.slice(end + 2).split(" ");
      all.set(pid, { name: text.slice(text.indexOf("(") + 1, end), parent: Number(fields[1]), userSeconds: Number(fields[11]) / 100 });
    } catch {
      // It ended between the listing and the reading.
    }
  }
  return all;
}

function privateKilobytes(pid) {
  const lines = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1").split("\n");
  // Private_Clean is left out: it is page cache of program files, and counts as private only while no other process has the same files mapped.
  return lines.filter(line => line.startsWith("Private_Dirty:")).reduce((sum, line) => sum + Number(line.split(/\s+/)[1]), 0);
}

/** Whether a URL answers 200 within a second. */
export async function answers200(url) {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1000) })).status === 200;
  } catch {
    return false; // not listening yet
  }
}

/** Whether something listens on a local port. */
export const listens = port => new Promise(resolve => {
  const socket = connect(port, "127.0.0.1");
  socket.once("connect", () => { socket.destroy(); resolve(true); });
  socket.once("error", () => resolve(false));
});
