// The client against a real farm: what arrives, and what happens when the node is killed, stalled and restarted.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { joined, watched } from "./support/clients.mjs";
import { eventually } from "./support/eventually.mjs";
import { farm } from "./support/programs.mjs";

const ways = [
  { transport: "websocket", encoding: "json" },
  { transport: "websocket", encoding: "msgpack" },
  { transport: "sse" },
];
const named = ({ transport, encoding }) => encoding ? `${transport} with ${encoding}` : transport;

let node;
before(async () => {
  node = await farm({ "Push:Connections:HeartbeatAfter": "00:00:01", "Push:Subscription:Linger": "00:00:00", "Push:Merge:Window": "00:00:00.05" });
  await node.start();
});
after(() => node.kill());

for (const way of ways) {
  test(`${named(way)} delivers items as JSON.parse gives them, in order`, async t => {
    const { client, messages, gaps } = watched(t, node.url, way);
    const room = client.join("默认 房间&?#");
    const batches = [];
    room.on("batch", items => batches.push(items));
    await joined(room);
    assert.equal(client.transport, way.transport);
    const texts = [
      '{"text":"你好 🎉","n":1}', "-1", "0", "-0", "1.5", "1e400", "127", "128", "-129", "65536", "-2147483649", "9007199254740993", "18446744073709551615", "-9223372036854775808",
      '"two"', "null", "true", "[]", "{}", '[{"__proto__":{"polluted":1}},[[[]]]]', `"${"x".repeat(300)}"`, JSON.stringify(Array.from({ length: 70 }, (_, n) => n)),
      JSON.stringify(Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, n]))), `"${"é".repeat(15_000)}"`,
    ];
    const response = await fetch(`${node.api}/v1/rooms/${encodeURIComponent(room.name)}/messages`, {
      method: "POST", headers: { "content-type": "application/x-ndjson" }, body: texts.join("\n"),
    });
    assert.equal(response.status, 202);
    await eventually(() => messages.length === texts.length, "every message came", () => `${messages.length}`);
    const got = messages.map(({ item }) => item);
    assert.deepEqual(got, texts.map(text => JSON.parse(text)));
    assert.deepEqual(batches.flat(), got);
    assert.deepEqual(Object.keys(got[19][0]), ["__proto__"]);
    assert.equal({}.polluted, undefined);
    assert.deepEqual([messages[0].room, gaps], [room.name, []]);
  });

  test(`${named(way)} delivers broadcasts without a room`, async t => {
    const { client, messages } = watched(t, node.url, way);
    client.connect();
    await eventually(() => client.state === "connected", "connected");
    // The node may count the connection in a moment after the client does.
    await eventually(async () => { await node.publish(undefined, "to all"); return messages.length; }, "a broadcast");
    assert.deepEqual(messages[0], { item: "to all", room: undefined });
  });

  test(`${named(way)} does not keep the process after disconnect`, async () => {
    const script = fileURLToPath(new URL("support/once.mjs", import.meta.url));
    const child = spawn(process.execPath, [script, node.url, JSON.stringify(way)], { stdio: "inherit" });
    assert.equal(await new Promise(exit => child.on("exit", exit)), 0);
  });
}

test("Every client comes back to a killed node's successor and tells of a gap", async t => {
  const members = ways.map(way => {
    const { client, states, gaps } = watched(t, node.url, way);
    const room = client.join("killed"), messages = [], own = [], again = [];
    room.on("message", item => messages.push(item));
    room.on("gap", gap => own.push(gap));
    room.on("joined", joined => again.push(joined.again));
    return { client, states, gaps, room, messages, own, again };
  });
  const each = async check => { for (const member of members) await check(member); };
  await each(({ room }) => joined(room));
  await node.publish("killed", 1);
  await each(({ messages }) => eventually(() => messages.length === 1, "the first message"));
  await node.kill();
  await each(({ states }) => eventually(() => states.at(-1).retryIn !== undefined, "the end is noticed"));
  await each(({ room, client }) => assert.deepEqual([room.state, client.transport], ["joining", undefined]));
  await node.start();
  await each(({ room }) => joined(room));
  await node.publish("killed", 2);
  await each(({ messages }) => eventually(() => messages.length === 2, "the second message"));
  await each(({ states, gaps, messages, own, again }) => {
    assert.deepEqual(messages, [1, 2]);
    assert.deepEqual(own, [{ room: "killed", missed: null, reason: "reconnected" }]);
    assert.deepEqual(gaps, [{ missed: null, reason: "reconnected" }, ...own]);
    assert.deepEqual(again, [false, true]);
    const lost = states.find(({ previous }) => previous === "connected");
    assert.deepEqual([lost.state, lost.code], ["connecting", 1006]);
    assert.ok(lost.retryIn >= 0 && lost.retryIn <= 50);
  });
});

test("Every client leaves a node that stalls, and comes back when it goes on", async t => {
  const members = ways.map(way => {
    // Heartbeats come every second or a little earlier here.
    const liveness = way.transport === "sse" ? { pingInterval: 2000, pingTimeout: 1000 } : { pingInterval: 200, pingTimeout: 1000 };
    const { client, states } = watched(t, node.url, { ...way, ...liveness });
    return { states, room: client.join("stalled") };
  });
  for (const { room } of members) await joined(room);
  node.signal("SIGSTOP");
  try {
    for (const { states } of members) await eventually(() => states.some(({ reason }) => reason === "No sign of life."), "the silence is noticed");
  } finally {
    node.signal("SIGCONT");
  }
  for (const { room } of members) await joined(room);
});

test("A room that was left is silent, and can be joined again", async t => {
  const { client, messages } = watched(t, node.url);
  const room = client.join("left");
  assert.equal(client.join("left"), room);
  await joined(room);
  room.leave();
  assert.equal(room.state, "left");
  const again = client.join("left");
  assert.notEqual(again, room);
  room.on("message", () => assert.fail("The old membership got a message."));
  await joined(again);
  await node.publish("left", 1);
  await eventually(() => messages.length === 1, "one message");
  again.leave();
  const other = client.join("other");
  await joined(other);
  await node.publish("left", 2);
  await node.publish("other", 3);
  await eventually(() => messages.length === 2, "the other room's message");
  assert.deepEqual(messages.map(({ item }) => item), [1, 3]);
});

test("A room that is left in the middle of a batch gets no more of it", async t => {
  const { client } = watched(t, node.url);
  const room = client.join("batch"), got = [];
  room.on("message", item => { got.push(item); room.leave(); });
  await joined(room);
  await node.publish("batch", 1, 2, 3);
  await eventually(() => got.length === 1, "one message");
  assert.deepEqual([got, room.state], [[1], "left"]);
});

test("One room too many fails and is told; it can be joined after another was left", async t => {
  const { client, errors } = watched(t, node.url);
  const rooms = [1, 2, 3, 4, 5, 6].map(n => client.join(`limit ${n}`));
  await eventually(() => rooms[5].state === "failed", "the sixth has failed");
  for (const room of rooms.slice(0, 5)) await joined(room);
  assert.deepEqual(errors.map(({ code, room, final }) => [code, room, final]), [["room_limit", "limit 6", true]]);
  rooms[0].leave();
  assert.equal(client.join("limit 6"), rooms[5]);
  await joined(rooms[5]);
});

test("A room name that the node does not accept fails for good", async t => {
  const { client, errors } = watched(t, node.url);
  const bad = client.join("a/b");
  await joined(client.join("good"));
  assert.equal(bad.state, "failed");
  assert.deepEqual(errors.map(({ code, final }) => [code, final]), [["bad_room", true]]);
});

test("Server-sent events connect anew for a further room", async t => {
  const { client, messages } = watched(t, node.url, { transport: "sse" });
  const first = client.join("first");
  await joined(first);
  const second = client.join("second"), third = client.join("third");
  await joined(second);
  await joined(third);
  await joined(first);
  second.leave();
  const again = client.join("second");
  await joined(again);
  await joined(first);
  await node.publish("first", 1);
  await node.publish("second", 2);
  await eventually(() => messages.length === 2, "both messages");
});

test("A client that disconnects while a batch arrives gets no more, and connects again later", async t => {
  const { client, messages, gaps } = watched(t, node.url);
  const room = client.join("pause");
  const end = room.on("message", () => client.disconnect());
  await joined(room);
  await node.publish("pause", 1, 2);
  await eventually(() => client.state === "disconnected", "disconnected");
  end();
  client.connect();
  await joined(room);
  await node.publish("pause", 3);
  await eventually(() => messages.length === 1, "the third message");
  assert.deepEqual(messages.map(({ item }) => item), [3]);
  assert.equal(gaps.filter(gap => gap.room === "pause").length, 1);
});
