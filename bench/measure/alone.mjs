import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ChildProcess } from "./processes.mjs";
import { Session } from "./session.mjs";

const churnSeconds = 30;
const changesPerSecond = 2000;
const farmNodes = 4;
const farmSeconds = 60;

/** Seconds that a load may take beyond its publishing: start, connecting, draining. */
const loadMargin = 180;

/** Seconds that the measurements below take. */
export const aloneSeconds = churnSeconds + farmSeconds + 90;

/**
 * Waits for the shards' locks under churn. Ten frames a second to everybody instead of one keep the workers listing members all the time.
 */
export async function measureLockWait(entry, { artifacts, scratch, redisPort, connections }) {
  const session = await Session.start(withEnvironment(entry, { Push__Merge__Window: "00:00:00.1" }), artifacts);
  try {
    const load = await runLoad(artifacts, scratch, churnSeconds, [
      session.url, "--redis", `127.0.0.1:${redisPort}`, "--connections", connections, "--churn", changesPerSecond,
      "--rate", 100, "--size", 60,
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

/** Several nodes with as many connections each as a process has descriptors for, all in one room. */
export async function measureFarm(entry, { artifacts, scratch, redisPort, connectionsPerNode }) {
  const sessions = [];
  try {
    for (let i = 0; i < farmNodes; i++) sessions.push(await Session.start(entry, artifacts));
    const connections = farmNodes * connectionsPerNode;
    const load = await runLoad(artifacts, scratch, farmSeconds, [
      ...sessions.map(session => session.url), "--redis", `127.0.0.1:${redisPort}`, "--connections", connections, "--processes", farmNodes,
      "--rate", 10, "--size", 60,
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
  const all = [...args, "--connect-timeout", 120, "--duration", seconds, "--json", file].map(String);
  const load = new ChildProcess(join(artifacts, "PushLoad/PushLoad"), all);
  const tooLate = setTimeout(() => load.kill(), (seconds + loadMargin) * 1000);
  const exitCode = await load.ended;
  clearTimeout(tooLate);
  try {
    return { exitCode, ...JSON.parse(readFileSync(file, "utf8")) };
  } catch {
    throw new Error(`PushLoad failed: ${load.lastWords}`);
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

/** A histogram's bounds, ascending, each with the count of values up to it. */
async function bucketsOf(name, management) {
  const text = await (await fetch(`http://127.0.0.1:${management}/metrics`)).text();
  return [...text.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\d+)$`, "gm"))]
    .map(([, bound, count]) => ({ bound: bound === "+Inf" ? Infinity : Number(bound), count: Number(count) }));
}

/** The lowest bound with at least this share of all values below it. */
const quantile = (buckets, share) => buckets.find(({ count }) => count >= share * buckets.at(-1).count).bound;
