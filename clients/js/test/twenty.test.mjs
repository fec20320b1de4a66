// A node that dies twenty times at random moments: clients come back, keep the order, and tell of each loss.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { joined, watched } from "./support/clients.mjs";
import { eventually } from "./support/eventually.mjs";
import { farm } from "./support/programs.mjs";
import { randomFrom } from "./support/random.mjs";

const deaths = 20;

test(`A node dies ${deaths} times at random moments, and no loss goes untold`, async t => {
  const random = randomFrom(t);
  const node = await farm({ "Push:Merge:Window": "00:00:00.01", "Push:Merge:Gather": "00:00:00.01" });
  t.after(() => node.kill());
  await node.start();

  const members = [{ transport: "websocket", encoding: "json" }, { transport: "websocket", encoding: "msgpack" }, { transport: "auto" }, { transport: "sse" }].map(way => {
    const { client, states } = watched(t, node.url, way);
    const room = client.join("mortal"), log = [];
    room.on("message", n => log.push(n));
    room.on("gap", () => log.push("gap"));
    return { client, states, room, log };
  });
  for (const { room } of members) await joined(room);

  // Each number is published at most once; what the farm has accepted is lost or arrives.
  const accepted = [];
  let n = 0, running = true;
  const publishing = (async () => {
    while (running) {
      const number = ++n;
      if (await node.publish("mortal", number).catch(() => 0) === 202) accepted.push(number);
      await delay(10);
    }
  })();

  for (let death = 0; death < deaths; death++) {
    // Half of the lives begin with everybody joined; in the others clients may be anywhere on their way.
    if (death % 2) for (const { room } of members) await joined(room);
    await delay(random() * 700);
    await node.kill();
    await node.start();
  }
  for (const { room } of members) await joined(room);
  running = false;
  await publishing;
  const last = ++n;
  assert.equal(await node.publish("mortal", last), 202);

  for (const { room, log, states } of members) {
    await eventually(() => log.at(-1) === last, "the last message", () => `The log ends with ${log.slice(-5)}.`);
    const numbers = log.filter(entry => entry !== "gap");
    assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b), "in order and without duplicates");
    for (let i = 1; i < log.length; i++) {
      const [before, after] = [log[i - 1], log[i]];
      if (before === "gap" || after === "gap") continue;
      assert.deepEqual(accepted.filter(number => number > before && number < after), [], `between ${before} and ${after} without a gap`);
    }
    const losses = states.filter(({ previous, state }) => previous === "connected" && state === "connecting").length;
    t.diagnostic(`${room.name}: ${numbers.length} of ${accepted.length + 1} messages, ${losses} lost connections, ${log.length - numbers.length} gaps`);
    assert.equal(log.length > numbers.length, true);
  }
});
