import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ChildProcess } from "./processes.mjs";
import { Session } from "./session.mjs";

const churnSeconds = 30;
const changesPerSecond = 2000;
const farmNodes = 4;
const farmSeconds = 60;

/** How long everything but the pushing of a load may take: connecting, draining, the program's start. */
const loadMargin = 180;

/** What of a run's time the measurements below take, in seconds. */
export const aloneSeconds = churnSeconds + farmSeconds + 90;

/**
 * Waits for the shards' locks while members come and go and pushes never pause: ten frames a second to everybody instead of one, so that there is
 * always a worker that lists members.
 */
export async function measureLockWait(entry, { artifacts, scratch, redisPort, connections }) {
  const session = await Session.start(withEnvironment(entry, { Push__Merge__Window: "00:00:00.1" }), artifacts);
  try {
    const load = await runLoad(artifacts, scratch, churnSeconds, [
      session.url, "--redis", `127.0.0.1:${redisPort}`, "--connections", connections, "--churn", changesPerSecond, "--rate", 100, "--size", 60,
    ]);
    const buckets = await bucketsOf("push_shard_lock_wait_seconds", session.management);
    const { joins, leaves, frames } = load.total;
    return {
      exitCode: load.exitCode,
      changesPerSecond: (joins + leaves - connections) / load.runSeconds,
      framesPerSecond: frames / load.runSeconds,
      acquisitions: buckets.at(-1).count,
      p99: quantile(buckets, 0.99),
      p999: quantile(buckets, 0.999),
      above: buckets.at(-1).count - buckets.find(({ bound }) => bound === 1e-3).count,
    };
  } finally {
    await session.stop();
  }
}

/** Several nodes with as many connections each as a process may have descriptors for, and one room that they all are in. */
export async function measureFarm(entry, { artifacts, scratch, redisPort, connectionsPerNode }) {
  const sessions = [];
  try {
    for (let i = 0; i < farmNodes; i++) sessions.push(await Session.start(entry, artifacts));
    const connections = farmNodes * connectionsPerNode;
    const load = await runLoad(artifacts, scratch, farmSeconds, [
      ...sessions.map(session => session.url), "--redis", `127.0.0.1:${redisPort}`, "--connections", connections, "--processes", farmNodes, "--rate", 10, "--size", 60,
    ]);
    return {
      exitCode: load.exitCode,
      nodes: farmNodes,
      connections,
      seconds: load.runSeconds,
      messages: load.published.messages,
      deliveries: load.total.deliveries,
      lost: load.sequences.lost,
      duplicates: load.sequences.duplicates,
      reordered: load.sequences.reordered,
      disconnects: Object.values(load.total.disconnects).reduce((sum, count) => sum + count, 0),
      lastMember: load.lastMember,
    };
  } finally {
    await Promise.all(sessions.map(session => session.stop()));
  }
}

async function runLoad(artifacts, scratch, seconds, args) {
  const file = join(scratch, "load.json");
  const load = new ChildProcess(join(artifacts, "PushLoad/PushLoad"), [...args, "--connect-timeout", 120, "--duration", seconds, "--json", file].map(String));
  const tooLate = setTimeout(() => load.kill(), (seconds + loadMargin) * 1000);
  const exitCode = await load.ended;
  clearTimeout(tooLate);
  try {
    return { exitCode, ...JSON.parse(readFileSync(file, "utf8")) };
  } catch {
    throw new Error(`the load could not be run: ${load.lastWords}`);
  }
}

function withEnvironment(entry, more) {
  return {
    ...entry,
    command: (...ports) => {
      const command = entry.command(...ports);
      return { ...command, env: { ...command.env, ...more } };
    },
  };
}

/** A histogram's bounds and how many values were at most that, in rising order. */
async function bucketsOf(name, management) {
  const text = await (await fetch(`http://127.0.0.1:${management}/metrics`)).text();
  return [...text.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\d+)$`, "gm"))]
    .map(([, bound, count]) => ({ bound: bound === "+Inf" ? Infinity : Number(bound), count: Number(count) }));
}

/** The least bound under which that share of all values is. */
const quantile = (buckets, share) => buckets.find(({ count }) => count >= share * buckets.at(-1).count).bound;
