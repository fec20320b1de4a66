import { setTimeout as delay } from "node:timers/promises";
import { Load, judge } from "./load.mjs";

const usual = ["--connections", 3000, "--rooms", 10, "--rate", 100];

/** A node is killed: its clients resume on the others. */
export async function nodeKilled(farm) {
  const load = new Load(farm, [farm.clients], farm.publishers, ...usual, "--duration", 20);
  await load.runs();
  await delay(5000);
  const clients = await farm.connections(farm.nodes[1]);
  await farm.kill(farm.nodes[1]);
  const result = await load.result();
  return judge(result, [
    ["clients of the killed node", clients, clients > 0 && result.absence.count === clients],
    ["all back after", `${(result.absence.max / 1e6).toFixed(2)} s`, result.absence.max <= 5e6],
  ]);
}

/** Three nodes are restarted, one after the other. */
export async function rollingRestart(farm) {
  const load = new Load(farm, [farm.clients], farm.publishers, ...usual, "--duration", 45);
  await load.runs();
  for (const node of farm.nodes) {
    await delay(3000);
    await farm.terminate(node);
    await farm.startPart(node);
  }
  return judge(await load.result());
}

/** Redis is killed and comes back after five seconds, with its AOF. */
export async function redisKilled(farm) {
  const load = new Load(farm, [farm.clients], farm.publishers, ...usual, "--duration", 25);
  await load.runs();
  await delay(5000);
  await farm.kill("redis");
  await delay(5000);
  await farm.startPart("redis");
  return judge(await load.result());
}

/** All clients are cut at once, and resume at once, from one position. */
export async function storm(farm, connections = 19_000) {
  const after = 8, rooms = ["load-0"];
  const load = new Load(
    farm, farm.direct, farm.api, "--connections", connections, "--rooms", rooms.length, "--rate", 10, "--duration", 25, "--cut-all-after", after);
  await load.runs();
  await delay((after - 2) * 1000);
  const before = farm.reads(rooms);
  const result = await load.result();
  const reads = farm.reads(rooms) - before;
  const { seconds, resumed, total } = result;
  const begin = seconds.find(second => second.phase === "run").seconds + after;
  const back = seconds.find(second => second.seconds > begin + 0.5 && second.members === connections);
  return judge(result, [
    ["clients that resumed", total.resumes.recovered, total.resumes.recovered === connections],
    ["reads of Redis during the storm", reads, reads <= 2 * rooms.length * farm.nodes.length],
    ["all connected again", back ? `at most ${(back.seconds - begin).toFixed(1)} s after the cut, to a second` : "never", back !== undefined],
    ["last one caught up, from its connect", `${(resumed.max / 1e6).toFixed(2)} s`, resumed.max <= 3e6],
  ]);
}
