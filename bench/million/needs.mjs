import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { trackedAtMost, trackedConnections } from "../measure/conditions.mjs";
import { batchMessages } from "./options.mjs";

/**
 * Bytes, measured with 133,000 viewers. A viewer is two sockets with their epoll entries; a node holds garbage of the handshakes until it tidies up.
 * On the way: one page for each socket that has not read its frame, of a quarter of the viewers.
 */
const cost = { viewerInKernel: 10_100, onTheWay: 1_024, node: 27e6, viewerOfNode: 1_600, load: 38e6, viewerOfLoad: 800, others: 350e6 };

/** Descriptors of a node or a load for everything but viewers. */
const ownDescriptors = 300;

/** Threads of a node or a load. */
const threads = 30;

/** What a run needs, as rows: what, how much, how much there is, how to show a number. */
export function needs({ viewers, perProcess, processes }) {
  const ofViewers = viewers * (cost.viewerInKernel + cost.onTheWay + cost.viewerOfNode + cost.viewerOfLoad);
  const memory = ofViewers + processes * (cost.node + cost.load) + cost.others;
  const [used, , most] = numbers("/proc/sys/fs/file-nr");
  const tasks = Number(readFileSync("/proc/loadavg", "latin1").split(" ")[3].split("/")[1]);
  return [
    ["memory, GB", memory / 2 ** 30, availableMemory() / 2 ** 30, value => value.toFixed(1)],
    ["descriptors of a process", Math.min(viewers, perProcess) + ownDescriptors, Number(execFileSync("sh", ["-c", "ulimit -Hn"])), whole],
    ["descriptors of all", 2 * viewers + processes * 2 * ownDescriptors, most - used, whole],
    ["epoll entries", 2 * viewers, numbers("/proc/sys/fs/epoll/max_user_watches")[0], whole],
    ["threads", processes * 2 * threads, Math.min(numbers("/proc/sys/kernel/pid_max")[0], numbers("/proc/sys/kernel/threads-max")[0]) - tasks, whole],
    ["ports of nodes", 2 * processes + 3, 12_000, whole],
    ["ports of one address", Math.ceil(perProcess / Math.max(1, processes)) + 1000, portsOfAddress(), whole],
  ];
}

/** Sentences about what is missing; none when a run can begin. */
export async function problems(options) {
  const missing = needs(options).filter(([, needed, there]) => needed > there)
    .map(([what, needed, there, show]) => `Not enough: ${what}: ${show(needed)} needed, ${show(there)} there.`);
  const tracked = await trackedConnections();
  if (tracked > 0 && trackedAtMost() < 1.2 * options.viewers)
    missing.push(`Connection tracking is on, and has room for ${whole(trackedAtMost())} connections only (net.netfilter.nf_conntrack_max).`);
  return missing;
}

/** What makes a run slower than it could be. */
export function warnings({ viewers }) {
  const entries = Math.abs(numbers("/proc/sys/net/ipv4/tcp_ehash_entries")[0]);
  if (entries >= viewers) return [];
  return [`The kernel's table of connections has ${whole(entries)} entries for ${whole(2 * viewers)} sockets, and looks through lists.`
    + " As root, with unshare and ip installed, bench/million.sh makes a network with a larger table."];
}

/** What will happen, for people. */
export function describe(options) {
  const { viewers, processes, batches, window, connectRate, atMost } = options;
  const rows = needs(options).map(([what, needed, there, show]) => `  ${what.padEnd(26)} ${show(needed).padStart(12)} needed ${show(there).padStart(12)} there`);
  return [
    `${whole(viewers)} viewers in one room: Redis, an API, ${processes} nodes and ${processes} processes of PushLoad, on loopback only.`,
    `${batches} batches of ${whole(batchMessages)} messages, one each ${window} s: ${whole(viewers * batchMessages / window)} deliveries a second, each verified.`,
    // A message is {"k":4711,"r":0,"s":12,"t":1234567890,"p":0}. Deflated, only its number differs from the one before.
    `A message has 46 bytes, a batch 47 KB as JSON and 2.7 KB deflated, which is what each viewer gets: ${(viewers * 2.7e-6).toFixed(2)} GB for a batch.`,
    ...rows,
    `It takes about ${Math.ceil((60 + viewers / connectRate + (batches + 3) * window) / 60)} minutes and all of two cores, and stops by itself after`
      + ` ${Math.ceil(atMost / 60)} minutes.`,
    "Ctrl+C ends it at any time. It changes no setting of the machine.",
  ].join("\n");
}

export const availableMemory = () => Number(/MemAvailable:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "latin1"))[1]) * 1024;

export const whole = value => Math.round(value).toLocaleString("en-US");

function portsOfAddress() {
  const [low, high] = numbers("/proc/sys/net/ipv4/ip_local_port_range");
  return high - low + 1;
}

const numbers = file => readFileSync(file, "latin1").trim().split(/\s+/).map(Number);
