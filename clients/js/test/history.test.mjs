// Rooms with history on a real farm: nodes die, are drained and lose Redis' memory, and no message is missing untold or comes twice.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { joined, watched } from "./support/clients.mjs";
import { eventually } from "./support/eventually.mjs";
import { heard } from "./support/histories.mjs";
import { farm, redis as redisServer } from "./support/programs.mjs";
import { randomFrom } from "./support/random.mjs";

const deaths = 4;
const ways = [
  { transport: "websocket", encoding: "json" }, { transport: "websocket", encoding: "msgpack" }, { transport: "auto" }, { transport: "sse" },
];

// Two programs: what one publishes, the other's clients get. Only the other dies.
let redis, publisher, node;
before(async () => {
  redis = await redisServer();
  await redis.start();
  const settings = {
    "ConnectionStrings:Redis": `127.0.0.1:${redis.port}`, "Rooms:0:Pattern": "kept*", "Rooms:0:History:Size": 50_000,
    "Push:Merge:Window": "00:00:00.02", "Push:Merge:Gather": "00:00:00.01", "Push:Merge:GapSpread": "00:00:00",
    "Push:Drain:Over": "00:00:00", "Push:Drain:RetryAfter": "00:00:00.2",
    // A busy machine is no outage.
    "Backplane:CanaryTimeout": "00:00:30",
  };
  publisher = await farm(settings);
  node = await farm({ ...settings, "Push:Node": "mortal" });
  await publisher.start();
  await node.start();
});
after(async () => {
  await node?.kill();
  await publisher?.kill();
  await redis?.kill();
});

test(`A node dies ${deaths} times and is drained once, and nothing is missing`, async t => {
  const random = randomFrom(t);
  const members = ways.map(way => {
    const { client } = watched(t, node.url, way);
    const room = client.join("kept mortal");
    return { room, log: heard(room) };
  });
  for (const { room } of members) await joined(room);

  let n = 0, running = true;
  const publishing = (async () => {
    for (; running; await delay(10)) assert.equal(await publisher.publish("kept mortal", ++n, ++n), 202);
  })();
  for (let death = 0; death < deaths; death++) {
    // Half of the lives begin with everybody joined; in the others clients may be anywhere on their way.
    if (death % 2) for (const { room } of members) await joined(room);
    await delay(random() * 500);
    await node.kill();
    await node.start();
  }
  for (const { room } of members) await joined(room);
  await redis.cli("PUBLISH", "push:control", '{"command":"drain","node":"mortal"}');
  for (const { room } of members) await eventually(() => room.state === "joining", "the client is told to go");
  await redis.cli("PUBLISH", "push:control", '{"command":"undrain","node":"mortal"}');
  for (const { room } of members) await joined(room);
  running = false;
  await publishing;
  const expected = Array.from({ length: n }, (_, i) => i + 1);
  for (const { log, room } of members) {
    await eventually(() => log.at(-1) === n, "the last message", () => `The log ends with ${log.slice(-5)}.`);
    assert.deepEqual(log.filter(entry => typeof entry === "number"), expected);
    const told = log.filter(entry => typeof entry === "string");
    assert.deepEqual([told[0], new Set(told.slice(1))], ["joined false", new Set(["again true"])]);
    assert.equal(room.position.offset, n);
  }
  t.diagnostic(`${n} messages, ${members.map(({ log }) => log.length - n - 1)} returns`);
});

test("A client begins with the last messages, reads older ones, and its successor continues", async t => {
  const name = "kept pages";
  for (let n = 1; n <= 9; n += 3) await publisher.publish(name, n, n + 1, n + 2);
  const first = watched(t, node.url);
  const room = first.client.join(name, { last: 2 });
  await eventually(() => first.messages.length === 2, "the last two");
  assert.deepEqual(first.messages.map(({ item }) => item), [8, 9]);
  const page = await room.history({ since: { ...room.position, offset: 1 }, limit: 4 });
  assert.deepEqual([page.items, page.recovered, page.position.offset, page.more], [[2, 3, 4, 5], true, 5, true]);
  const rest = await room.history({ since: page.position });
  assert.deepEqual([rest.items, rest.more], [[6, 7, 8, 9], false]);

  const { positions } = first.client;
  first.client.disconnect();
  await publisher.publish(name, 10, 11);
  for (const way of ways) {
    const { client } = watched(t, node.url, { ...way, positions });
    const log = heard(client.join(name));
    await eventually(() => log.length === 3, "what was missed", () => JSON.stringify(log));
    assert.deepEqual(log, ["joined true", 10, 11]);
  }
});

test("A room without history is as it was, and has no pages", async t => {
  const { client, gaps } = watched(t, node.url);
  const room = client.join("plain", { since: { epoch: "e", offset: 5 } }), log = heard(room);
  await joined(room);
  await publisher.publish("plain", 1);
  await eventually(() => log.length === 3, "the message");
  assert.deepEqual(log, ["joined false", "reconnected null e.5-?", 1]);
  assert.equal(room.position, undefined);
  assert.equal(gaps.length, 1);
  await assert.rejects(room.history(), { code: "no_history" });
});

test("A Redis that has forgotten everything is a gap, and the room goes on", async t => {
  const { client } = watched(t, node.url, { minDelay: 50 });
  const room = client.join("kept lost", { heal: true }), log = heard(room);
  const witness = heard(watched(t, node.url).client.join("kept lost"));
  await joined(room);
  await publisher.publish("kept lost", 1, 2);
  await eventually(() => log.at(-1) === 2, "two messages");
  const { epoch } = room.position;
  client.disconnect();
  await redis.cli("DEL", "push:h:kept lost", "push:s:kept lost");
  await publisher.publish("kept lost", 3);
  // A node that has not heard of it would still recover the client, and tell the gap behind JOINED.
  await eventually(() => witness.at(-1) === 3, "what the node knows", () => JSON.stringify(witness));
  client.connect();
  await eventually(() => log.at(-1) === 3, "the new message", () => JSON.stringify(log));
  assert.deepEqual([log.slice(1, 4), log.length], [[1, 2, "again false"], 6]);
  assert.match(log[4], new RegExp(`^reconnected null ${epoch}\\.2-`));
  assert.notEqual(room.position.epoch, epoch);
});
