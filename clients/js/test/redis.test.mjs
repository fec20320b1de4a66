// The client against a node with Redis: drained, cut off from Redis, and with little room.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { joined, watched } from "./support/clients.mjs";
import { eventually } from "./support/eventually.mjs";
import { node as pushNode, redis as redisServer } from "./support/programs.mjs";

let redis, node;
before(async () => {
  redis = await redisServer();
  await redis.start();
  node = await pushNode(redis, {
    "Push:Node": "mine", "Push:Drain:Over": "00:00:00", "Push:Drain:RetryAfter": "00:00:00.2", "Push:Subscription:Linger": "00:00:00",
    "Push:Subscription:MaxRooms": 2, "Push:Merge:GapSpread": "00:00:00", "Push:Connections:JoinsPerSecond": 2, "Push:Connections:JoinBurst": 5,
    // A busy machine is no outage.
    "Backplane:CanaryTimeout": "00:01:00",
  });
  await node.start();
});
after(async () => {
  await node?.kill();
  await redis?.kill();
});

for (const transport of ["websocket", "sse"]) {
  test(`A drained node's clients (${transport}) wait as long as it asks, and return`, async t => {
    const { client, states, errors } = watched(t, node.url, { transport });
    const room = client.join("drained");
    await joined(room);
    await redis.cli("PUBLISH", "push:control", '{"command":"drain","node":"mine"}');
    await eventually(() => states.some(({ code }) => code === 1001), "the client is told to go");
    const { reason, retryIn, state, previous } = states.find(({ code }) => code === 1001);
    assert.match(reason, /^retry=\d+$/);
    assert.deepEqual([state, previous, retryIn], ["connecting", "connected", Number(reason.slice("retry=".length))]);
    await eventually(() => states.filter(({ code }) => code === 1006).length > 1, "the draining node refuses the client");
    if (transport === "sse") assert.ok(states.some(({ reason, retryIn }) => reason === "HTTP 503" && retryIn >= 1000));
    await redis.cli("PUBLISH", "push:control", '{"command":"undrain","node":"mine"}');
    await joined(room);
    assert.deepEqual(errors, []);
  });
}

test("A JOIN that Redis keeps waiting is told of, and comes through later", async t => {
  const { client, errors, gaps } = watched(t, node.url);
  const early = client.join("early"), own = [];
  await joined(early);
  await redis.kill();
  await eventually(async () => (await fetch(node.ready)).status === 503, "the node misses Redis");
  const late = client.join("late");
  late.on("error", failure => own.push(failure));
  await eventually(() => own.length, "the room is told");
  assert.deepEqual([own[0].code, own[0].final, late.state, early.state], ["backplane_away", false, "joining", "joined"]);
  await redis.start();
  await joined(late);
  await eventually(() => gaps.some(({ reason }) => reason === "backplane"), "the gap");
  assert.equal(errors.length, 1);
});

test("A room that the node has no space for is joined when it has", async t => {
  const first = watched(t, node.url), second = watched(t, node.url);
  const held = first.client.join("one");
  await joined(held);
  await joined(first.client.join("two"));
  const room = second.client.join("three");
  await eventually(() => second.errors.length, "the node refuses");
  assert.deepEqual([second.errors[0].code, second.errors[0].final, room.state], ["too_many_rooms", false, "joining"]);
  held.leave();
  await joined(room);
});

test("JOINs above the node's rate are repeated until each is answered", async t => {
  const { client, errors } = watched(t, node.url);
  const limited = () => errors.filter(({ code }) => code === "too_many_joins").length;
  // On a slow machine it takes more JOINs to exceed the rate.
  for (let n = 0; n < 8 || (limited() < 2 && n < 200); n++) {
    const room = client.join("again and again");
    await joined(room);
    room.leave();
  }
  assert.ok(limited() >= 2, `${limited()}`);
  // At first the node may still hold the rooms of the test before.
  assert.ok(errors.every(({ code, final }) => ["too_many_joins", "too_many_rooms"].includes(code) && !final), JSON.stringify(errors));
});
