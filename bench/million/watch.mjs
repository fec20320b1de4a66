import { readFileSync, readdirSync } from "node:fs";
import { machineCpu } from "../measure/conditions.mjs";

/** A sample a second: CPU of machine, nodes and load, memory of all three and of the kernel. */
export class Watch {
  samples = [];
  #nodes;
  #load;
  #first;
  #timer;

  constructor(nodes, load) {
    [this.#nodes, this.#load, this.#first] = [nodes, load, kernelCounters()];
  }

  /** @param each Called with each sample. */
  start(each) {
    this.#timer = setInterval(() => each(this.#take()), 1000);
  }

  stop() {
    clearInterval(this.#timer);
  }

  /** CPU seconds from one moment of the monotonic clock to another: of the machine, of the nodes and of the load. */
  cpuBetween(from, to) {
    const [begin, end] = [from, to].map(moment => this.#at(moment));
    return Object.fromEntries(["machine", "nodes", "load"].map(who => [who, end[who] - begin[who]]));
  }

  /** The most of a figure in all samples, or the least. */
  most(figure) { return Math.max(...this.samples.map(sample => sample[figure])); }

  least(figure) { return Math.min(...this.samples.map(sample => sample[figure])); }

  /** What the kernel had to do that it should not have to, since the beginning. */
  troubles() {
    const now = kernelCounters();
    return Object.fromEntries(Object.entries(now).map(([name, value]) => [name, value - this.#first[name]]).filter(([, value]) => value > 0));
  }

  #take() {
    const memory = kilobytes("/proc/meminfo");
    const load = [this.#load.pid, ...childrenOf(this.#load.pid)];
    const nodes = this.#nodes.map(node => node.pid);
    // A process that has ended takes its account with it.
    const before = this.samples.at(-1) ?? { nodes: 0, load: 0 };
    const sample = {
      at: Number(process.hrtime.bigint()) / 1e9,
      machine: machineCpu().busy,
      nodes: Math.max(before.nodes, sum(nodes, cpuOf)),
      load: Math.max(before.load, sum(load, cpuOf)),
      nodeBytes: sum(nodes, anonymousBytes),
      loadBytes: sum(load, anonymousBytes),
      kernelBytes: (memory.Slab + memory.KernelStack + memory.PageTables) * 1024,
      available: memory.MemAvailable * 1024,
      socketPages: Number(/TCP:.* mem (\d+)/.exec(readFileSync("/proc/net/sockstat", "latin1"))[1]),
    };
    this.samples.push(sample);
    return sample;
  }

  /** Between two samples, in proportion. */
  #at(moment) {
    const after = this.samples.findIndex(sample => sample.at >= moment);
    if (after <= 0) return this.samples.at(after);
    const [left, right] = [this.samples[after - 1], this.samples[after]];
    const share = (moment - left.at) / (right.at - left.at);
    return Object.fromEntries(["machine", "nodes", "load"].map(who => [who, left[who] + share * (right[who] - left[who])]));
  }
}

const sum = (pids, of) => pids.reduce((total, pid) => total + of(pid), 0);

function cpuOf(pid) {
  const fields = read(`/proc/${pid}/stat`).split(") ").at(-1).split(" ");
  return fields.length > 12 ? (Number(fields[11]) + Number(fields[12])) / 100 : 0;
}

const anonymousBytes = pid => Number(/RssAnon:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;

const childrenOf = pid => readdirOr(`/proc/${pid}/task`)
  .flatMap(thread => read(`/proc/${pid}/task/${thread}/children`).split(" ")).filter(Boolean).map(Number);

const kilobytes = file => Object.fromEntries([...read(file).matchAll(/^(\w+):\s+(\d+)/gm)].map(([, name, value]) => [name, Number(value)]));

/** Segments sent again, connections that a full queue turned away, and memory that TCP did not get. */
function kernelCounters() {
  const found = {};
  for (const file of ["/proc/net/snmp", "/proc/net/netstat"]) {
    const lines = read(file).trim().split("\n").map(line => line.split(" "));
    for (let i = 0; i + 1 < lines.length; i += 2) lines[i].forEach((name, at) => { found[name] = Number(lines[i + 1][at]); });
  }
  const wanted = [
    "RetransSegs", "ListenOverflows", "ListenDrops", "TCPMemoryPressures", "TCPBacklogDrop", "PruneCalled", "TCPRcvQDrop", "TCPAbortOnMemory", "TCPTimeouts",
  ];
  return Object.fromEntries(wanted.map(name => [name, found[name] ?? 0]));
}

function read(file) {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return ""; // the process has ended
  }
}

function readdirOr(directory) {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
