// Users on a real farm: what they send, what is sent to them, and what operators do to them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { joined, watched } from "./support/clients.mjs";
import { eventually } from "./support/eventually.mjs";
import { auth, token } from "./support/jwt.mjs";
import { farm } from "./support/programs.mjs";

let node;
before(async () => {
  node = await farm({
    ...auth("Required"), "Push:Merge:Window": "00:00:00.05", "Push:Subscription:Linger": "00:00:00", "Rooms:0:Pattern": "slow-*", "Rooms:0:SlowMode": "00:01:00",
  });
  await node.start();
});
after(() => node.kill());

const call = async (method, path, body) => {
  const response = await fetch(`${node.api}/v1/${path}`, { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.text()}`);
};
const as = (t, user, options) => watched(t, node.url, { token: token({ sub: user, join: ["*"], send: ["chat-*", "slow-*"], info: { n: 1 } }), ...options });
const outcome = promise => promise.then(() => "sent", ({ code, maybeSent }) => [code, maybeSent]);
const encodings = [{ encoding: "json" }, { encoding: "msgpack" }];

for (const options of encodings) {
  test(`What is sent with ${options.encoding} reaches everybody under the sender's name, in order`, async t => {
    const name = `chat-${options.encoding}`;
    const members = [as(t, "алиса", options), as(t, "bob"), as(t, "carol", { transport: "sse" })];
    const rooms = members.map(({ client }) => client.join(name));
    for (const room of rooms) await joined(room);
    const items = [{ text: "你好 🎉" }, 0, null, "", [1.5, { from: "bob" }], "é".repeat(1500)];
    for (const item of items) await rooms[0].send(item);
    for (const { messages } of members) {
      await eventually(() => messages.length === items.length, "every message", () => JSON.stringify(messages));
      assert.deepEqual(messages.map(({ item }) => item), items.map(item => ({ from: "алиса", info: { n: 1 }, item })));
    }
  });

  test(`The node's refusals of a SEND with ${options.encoding} reject it`, async t => {
    const { client, errors } = as(t, "dora", options);
    const room = client.join(`chat-refused-${options.encoding}`), slow = client.join(`slow-${options.encoding}`);
    await joined(room);
    await joined(slow);
    assert.deepEqual(await outcome(client.join("other").send(1)), ["forbidden", false]);
    for (const item of [JSON.parse('{"__proto__":1}'), "\ud800", "x".repeat(4096)]) assert.deepEqual(await outcome(room.send(item)), ["bad_item", false]);
    await slow.send(1);
    await assert.rejects(slow.send(2), ({ code, wait }) => code === "slow_mode" && wait > 0 && wait <= 60_000);
    await call("PUT", "users/dora/mute", { seconds: 60, room: room.name });
    await eventually(async () => (await outcome(room.send(1)))[0] === "muted", "the mute");
    await call("DELETE", "users/dora/mute", { room: room.name });
    await eventually(async () => await outcome(room.send(1)) === "sent", "the mute is lifted");
    assert.deepEqual([errors, room.state], [[], "joined"]);
  });
}

test("A flood of SENDs is refused, and none of it is lost or sent twice", async t => {
  const { client, messages } = as(t, "erna");
  const room = client.join("chat-flood");
  await joined(room);
  const outcomes = await Promise.all(Array.from({ length: 100 }, (_, n) => outcome(room.send(n)).then(result => ({ n, result }))));
  const sent = outcomes.filter(({ result }) => result === "sent").map(({ n }) => n);
  assert.ok(outcomes.every(({ result }) => result === "sent" || result[0] === "send_limited"));
  assert.ok(sent.length >= 8 && sent.length < 100, `${sent.length}`);
  await eventually(() => messages.length === sent.length, "what was sent");
  assert.deepEqual(messages.map(({ item }) => item.item), sent);
});

test("A message to a user reaches each of the user's devices, and nobody else", async t => {
  const devices = [...encodings, { transport: "sse" }].map(options => {
    const { client, messages } = as(t, "four devices", options);
    const personal = [];
    client.on("personal", item => personal.push(item));
    return { client, messages, personal, room: client.join("x") };
  });
  const stranger = as(t, "stranger");
  stranger.client.on("personal", () => assert.fail("It is not the stranger's."));
  for (const { room } of [...devices, { room: stranger.client.join("x") }]) await joined(room);
  // The user's channel has no JOINED.
  await eventually(async () => {
    await call("POST", `users/${encodeURIComponent("four devices")}/messages`, { text: "yours" });
    return devices.every(({ personal }) => personal.length);
  }, "all devices have it");
  for (const { messages, personal } of devices) assert.deepEqual([messages, personal[0]], [[], { text: "yours" }]);
  assert.deepEqual(stranger.messages, []);
});

test("Rooms tell how many are online, over every transport", async t => {
  const members = [...encodings, { transport: "sse" }].map(options => {
    const { client } = as(t, "gerd", options);
    return { client, room: client.join("chat-count", { online: true }) };
  });
  for (const { room } of members) await joined(room);
  // The number comes with messages.
  const tells = (some, count) => eventually(async () => {
    await node.publish("chat-count", count);
    return some.every(({ room }) => room.online === count);
  }, `${count} are counted`, () => some.map(({ room }) => room.online).join());
  await tells(members, 3);
  members[0].client.disconnect();
  await tells(members.slice(1), 2);
});

test("A user who is taken out of a room is told, and stays in the others", async t => {
  const { client, errors } = as(t, "frida");
  const a = client.join("chat-a"), b = client.join("chat-b");
  await joined(a);
  await joined(b);
  await call("DELETE", "rooms/chat-a/members/frida");
  await eventually(() => a.state === "failed", "it is left");
  assert.deepEqual([errors.map(({ code, room, final }) => [code, room, final]), b.state], [[["removed", "chat-a", true]], "joined"]);
  assert.equal(client.join("chat-a"), a);
  await joined(a);
});

for (const [what, code, act] of [
  ["disconnected", 4009, user => call("DELETE", `users/${user}/connections`, { reason: "sign in again" })],
  ["banned", 4003, user => call("PUT", `users/${user}/ban`, { seconds: 60, reason: "spam" })],
]) {
  test(`A user who is ${what} does not come back by itself`, async t => {
    const members = [...encodings, { transport: "sse" }].map(options => as(t, what, options));
    for (const { client } of members) await joined(client.join("x"));
    await act(what);
    for (const { client, states, errors } of members) {
      await eventually(() => client.state === "disconnected", "the end", () => JSON.stringify(states));
      assert.deepEqual([states.at(-1).code, errors.at(-1).code, errors.at(-1).final], [code, "closed", true]);
    }
    if (code !== 4003) return;
    for (const options of [{}, { transport: "sse" }]) {
      const { client, states } = as(t, what, options);
      client.connect();
      await eventually(() => client.state === "disconnected", "refused at the door", () => JSON.stringify(states));
      assert.equal(states.at(-1).code, 4003);
    }
  });
}
