import { setTimeout as delay } from "node:timers/promises";
import { Load, judge } from "./load.mjs";

const Clients = 600;

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
function numbersFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Random faults, up to two at a time, for some minutes. Which they are and when follows from the seed, but for what the machine adds. */
export async function random(farm, minutes, seed) {
  const number = numbersFrom(seed);
  const between = (low, high) => low + number() * (high - low);
  const pick = list => list[Math.floor(number() * list.length)];
  const load = new Load(
    farm, [farm.clients], farm.publishers, "--connections", Clients, "--rooms", 6, "--rooms-per-connection", 2, "--rate", 100,
    "--duration", minutes * 60, "--cut-every", 60, "--seed", seed);
  await load.runs();

  // Redis lives on: a farm without it is the fault of one kind only.
  const restart = end => async (part, seconds) => {
    await farm[end](part);
    await delay(seconds * 1000);
    await farm.startPart(part);
  };
  const pause = async (part, seconds) => {
    farm.pause(part);
    await delay(seconds * 1000);
    farm.resume(part);
  };
  const faults = [
    ["kill", restart("kill"), () => pick(farm.nodes), 0.5, 5],
    ["kill", restart("kill"), () => pick(farm.nodes), 0.5, 5],
    ["terminate", restart("terminate"), () => pick(farm.nodes), 0, 2],
    ["pause", pause, () => pick(farm.nodes), 0.5, 6],
    ["kill", restart("kill"), () => "redis", 0, 6],
    ["pause", pause, () => "redis", 0.5, 6],
    ["cut the links of", cutLinks, () => "redis", 0, 0],
    ["kill", restart("kill"), () => "api", 0, 3],
    ["kill", restart("kill"), () => "nginx", 0, 2],
  ];
  async function cutLinks() {
    farm.redis("CLIENT", "KILL", "TYPE", pick(["pubsub", "normal"]));
  }

  // The last faults end long before the load does.
  const began = Date.now(), end = began + minutes * 60_000 - 25_000;
  const busy = new Map();
  let count = 0;
  while (Date.now() < end && !load.hasEnded) {
    const [what, act, partOf, low, high] = pick(faults);
    const part = partOf(), seconds = between(low, high), rest = between(1, 12);
    if (!busy.has(part) && busy.size < 2 && (what !== "cut the links of" || !busy.has("redis"))) {
      count++;
      console.log(`${((Date.now() - began) / 1000).toFixed(0).padStart(5)} s  ${what} ${part}${seconds > 0 ? ` for ${seconds.toFixed(1)} s` : ""}`);
      const done = act(part, seconds);
      done.catch(() => {}); // it is awaited below, perhaps after it failed
      busy.set(part, done.then(() => busy.delete(part)));
    }
    await Promise.race([delay(rest * 1000), ...busy.values()]);
    await delay(Math.min(rest, 1) * 1000);
  }
  await Promise.all(busy.values());
  console.log(`${count} faults; seed ${seed}`);
  return judge(await load.result());
}
