// Tokens on real farms: what they allow, how they end, and what comes after.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { joined, watched } from "./support/clients.mjs";
import { eventually } from "./support/eventually.mjs";
import { auth, token } from "./support/jwt.mjs";
import { farm } from "./support/programs.mjs";

const ways = [
  { transport: "websocket", encoding: "json" },
  { transport: "websocket", encoding: "msgpack" },
  { transport: "sse" },
];
const named = ({ transport, encoding }) => encoding ? `${transport} with ${encoding}` : transport;

let strict, open, off;
before(async () => {
  const fast = { "Push:Merge:Window": "00:00:00.05", "Push:Subscription:Linger": "00:00:00" };
  strict = await farm({ ...fast, ...auth("Required"), "Push:Auth:AuthTimeout": "00:00:10" });
  open = await farm({ ...fast, ...auth("Optional"), "Push:Auth:PublicRooms": "lobby" });
  off = await farm();
  await Promise.all([strict.start(), open.start(), off.start()]);
});
after(() => Promise.all([strict.kill(), open.kill(), off.kill()]));

for (const way of ways) {
  test(`${named(way)}: a token lets its holder in, and only where it says`, async t => {
    const { client, messages, errors } = watched(t, strict.url, { ...way, token: token({ sub: "алиса", join: ["news", "chat-*"] }) });
    const news = client.join("news"), chat = client.join("chat-1"), other = client.join("secret");
    await joined(news);
    await joined(chat);
    await eventually(() => errors.length, "the third room is refused");
    assert.deepEqual([errors[0].code, other.state], ["forbidden", way.transport === "sse" ? "joining" : "failed"]);
    assert.equal(client.user, way.transport === "sse" ? undefined : "алиса");
    await strict.publish("chat-1", "hello");
    await eventually(() => messages.length, "the message");
    assert.deepEqual(messages, [{ item: "hello", room: "chat-1" }]);
  });

  test(`${named(way)}: what no getToken can mend ends the client`, async t => {
    for (const [bad, reason] of [[undefined, "missing"], ["x.y.z", "invalid"], [token({}, 600, "another secret of more than 32 bytes"), "invalid"], [token({}, -5), "expired"]]) {
      const { client, errors, states } = watched(t, strict.url, { ...way, token: bad });
      client.connect();
      await eventually(() => client.state === "disconnected", `the end of ${reason}`, () => JSON.stringify(states));
      assert.deepEqual([errors.at(-1).code, errors.at(-1).final, states.at(-1).code], ["closed", true, 4001]);
      if (way.transport !== "sse") assert.match(states.at(-1).reason, new RegExp(`token ${reason}`));
    }
  });

  test(`${named(way)}: a farm that looks at no tokens serves a client that has one`, async t => {
    const { client, errors } = watched(t, off.url, { ...way, token: "anything" });
    await joined(client.join("x"));
    assert.deepEqual([errors, client.user], [[], undefined]);
  });
}

test("A token that ends is renewed, and the room stays", async t => {
  const members = ways.map(way => {
    const member = { way, asked: 0 };
    // Renewed in half its time, which leaves the other half to a busy machine.
    const getToken = () => token({ sub: "alice", join: ["*"] }, member.asked++ ? 600 : 30);
    Object.assign(member, watched(t, strict.url, { ...way, getToken }));
    return Object.assign(member, { room: member.client.join("x") });
  });
  for (const member of members) {
    const isOneWay = member.way.transport === "sse";
    await eventually(() => member.asked === 2, `${named(member.way)} renews`);
    if (isOneWay) await eventually(() => member.states.filter(({ state }) => state === "connected").length === 2, "connected anew");
    await joined(member.room);
    assert.deepEqual(member.errors, []);
    assert.equal(member.gaps.length, isOneWay ? 2 : 0);
    assert.equal(member.states.some(({ code }) => code === 4001), false);
  }
});

test("A token that has ended is replaced on a new connection", async t => {
  const members = ways.map(way => {
    const member = { way, asked: 0 };
    // The first lasts long enough for a busy machine to connect. The second answer never comes, so that the node closes with 4001.
    const getToken = () => member.asked++ === 1 ? new Promise(() => {}) : token({ sub: "alice", join: ["*"] }, member.asked === 1 ? 15 : 600);
    Object.assign(member, watched(t, strict.url, { ...way, getToken }));
    return Object.assign(member, { room: member.client.join("x") });
  });
  for (const { way, room, states, errors } of members) {
    await eventually(() => states.some(({ code, reason }) => code === 4001 && reason === "token expired"), `the token of ${named(way)} ends`);
    await joined(room);
    assert.deepEqual(errors, []);
  }
});

test("A reader without a token logs in on the open connection", async t => {
  const { client, errors, states, gaps } = watched(t, open.url);
  const lobby = client.join("lobby"), members = client.join("members");
  await joined(lobby);
  await eventually(() => members.state === "failed", "the other room is refused");
  client.authenticate(token({ sub: "alice", join: ["members"] }));
  await joined(members);
  assert.deepEqual([client.user, lobby.state, gaps, states.length], ["alice", "joined", [], 2]);
  assert.deepEqual(errors.map(({ code, room }) => [code, room]), [["forbidden", "members"]]);
});

test("A token with fewer rights ends memberships, and one with more brings them back", async t => {
  const rights = rooms => token({ sub: "alice", join: rooms });
  const { client, errors, states } = watched(t, strict.url, { token: rights(["a", "b"]) });
  const a = client.join("a"), b = client.join("b");
  await joined(a);
  await joined(b);
  client.authenticate(rights(["a"]));
  await eventually(() => b.state === "failed", "it is left");
  assert.deepEqual([errors.map(({ code, room, final }) => [code, room, final]), a.state], [[["forbidden", "b", true]], "joined"]);
  client.authenticate(rights(["a", "b"]));
  await joined(b);
  assert.equal(states.length, 2);
});

test("Another user's token takes a new connection", async t => {
  const { client, states } = watched(t, strict.url, { token: token({ sub: "alice", join: ["*"] }) });
  const room = client.join("x");
  await joined(room);
  client.authenticate(token({ sub: "bob", join: ["*"] }));
  await eventually(() => client.user === "bob", "it is bob's");
  await joined(room);
  assert.equal(states.filter(({ state }) => state === "connected").length, 2);
});

test("An optional token that is wrong is not passed over", async t => {
  const { client, errors } = watched(t, open.url, { token: "x.y.z" });
  client.join("lobby");
  await eventually(() => client.state === "disconnected", "the end");
  assert.equal(errors[0].final, true);
});
