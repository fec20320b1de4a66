// When the client connects again: with a clock that the test turns, and sockets without a network.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RedisPush } from "../dist/redispush.js";
import { browser } from "./support/fakes.mjs";
import { answerJoin, start } from "./support/offline.mjs";

test("The limit of the wait doubles from minDelay to maxDelay", async t => {
  const { client, time, waits } = start(t, {}, socket => socket.end(), 1);
  client.connect();
  await time.passes(200_000);
  assert.deepEqual(waits().slice(0, 8), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test("A WebSocket and the server-sent events that follow it at once are one failure", async t => {
  const down = async () => { throw new TypeError("down"); };
  const { client, time, waits } = start(t, { transport: "auto", fetch: down }, socket => socket.end(), 1);
  client.connect();
  await time.passes(100_000);
  assert.deepEqual(waits().slice(0, 13), [1000, 0, 2000, 0, 4000, 0, 8000, 0, 16_000, 0, 30_000, 0, 30_000]);
});

test("disconnect and connect end the wait and the back-off", async t => {
  const { client, time, sockets, waits } = start(t, {}, socket => socket.end(), 1);
  client.connect();
  await time.passes(20_000);
  const before = sockets.length;
  client.disconnect();
  client.connect();
  await time.passes(0);
  assert.deepEqual([sockets.length, waits()], [before + 1, [1000, 2000, 4000, 8000, 16_000, 1000]]);
});

test("Only a connection that proves itself ends the back-off", async t => {
  let joins = false;
  const { client, time, waits } = start(t, {}, socket => {
    if (joins) answerJoin(socket);
    socket.open();
    socket.end();
  }, 1);
  client.join("x");
  await time.passes(20_000);
  assert.deepEqual(waits(), [1000, 2000, 4000, 8000, 16_000]);
  joins = true;
  await time.passes(16_000);
  assert.deepEqual(waits().slice(5), [1000, 1000, 1000, 1000, 1000, 1000].slice(0, waits().length - 5));
});

test("The node's hint is followed, up to 15 minutes; other reasons are not", async t => {
  const reasons = ["retry=1262", "retry=0", "retry=99999999999999999999", "retry=-1", "retry=1e3", "retry=5 "];
  const { client, time, waits } = start(t, {}, (socket, n) => { socket.open(); socket.end(1001, reasons[n]); });
  client.connect();
  await time.passes(1_000_000);
  assert.deepEqual(waits().slice(0, 6), [1262, 0.5 * 2000, 900_000, 0.5 * 8000, 0.5 * 16_000, 0.5 * 30_000]);
});

test("A node that always says retry=0 is not asked without end", async t => {
  const { client, time, sockets } = start(t, {}, socket => { answerJoin(socket); socket.open(); socket.end(1001, "retry=0"); });
  client.join("x");
  await time.passes(60_000);
  // The JOIN is answered each time: the wait is the first one again, up to a second.
  assert.ok(sockets.length <= 121, `${sockets.length}`);
});

for (const [random, wait] of [[0, 30_000], [1, 60_000]]) {
  test(`After 4029 the client waits ${wait / 1000} s at random ${random}, whatever the page does`, async t => {
    const page = browser(t);
    const { client, time, sockets, waits } = start(t, {}, socket => { socket.open(); socket.end(4029, "too many messages"); }, random);
    client.connect();
    await time.passes(1);
    page.goes(false);
    page.goes(true);
    page.becomes("visible");
    await time.passes(wait - 10);
    assert.deepEqual([waits(), sockets.length], [[wait], 1]);
    await time.passes(10);
    assert.equal(sockets.length, 2);
  });
}

test("An unclean end with a final code is not the node's word", async t => {
  const { client, time, sockets } = start(t, {}, (socket, n) => { socket.open(); if (!n) socket.end(1002, "", false); });
  client.connect();
  await time.passes(1000);
  assert.deepEqual([sockets.length, client.state], [2, "connected"]);
});

test("online and a visible page end the wait, or ask for a sign of life", async t => {
  const page = browser(t);
  const { client, time, sockets, waits } = start(t, {}, (socket, n) => {
    socket.received = () => {};
    if (n) socket.open();
    else socket.end();
  });
  page.goes(false);
  client.connect();
  await time.passes(29_000);
  assert.deepEqual([waits(), sockets.length], [[30_000], 1]);
  page.goes(true);
  await time.passes(1);
  assert.deepEqual([sockets.length, client.state], [2, "connected"]);

  const pings = () => sockets.at(-1).sent.length;
  for (const [change, expected] of [[() => page.goes(true), 1], [() => page.becomes("hidden"), 0], [() => page.becomes("visible"), 1], [() => page.goes(false), 1]]) {
    const before = pings();
    change();
    change();
    assert.equal(pings() - before, expected, `${change}`);
    sockets.at(-1).tell("PONG", {});
  }
  assert.equal(page.listeners(), 3);
  client.disconnect();
  assert.deepEqual([page.listeners(), time.pending()], [0, 0]);
});

test("A quiet connection is asked every pingInterval, a busy one not", async t => {
  const { client, time, sockets, states } = start(t, {}, socket => socket.open());
  client.connect();
  await time.passes(100_000);
  const pings = sockets[0].sent.length;
  assert.ok(pings === 4 || pings === 5, `${pings}`);
  for (let n = 0; n < 100; n++) {
    sockets[0].tell("PUSH", { items: [] });
    await time.passes(1000);
  }
  assert.ok(sockets[0].sent.length - pings <= 1);
  assert.equal(states.length, 2);
});

test("A room continues after its last position, and tells of a gap only if that failed", async t => {
  const joins = [];
  let recovered;
  const { client, time, sockets, gaps } = start(t, {}, socket => {
    socket.received = ({ type, id, data }) => {
      if (type !== "JOIN") return;
      joins.push(data);
      socket.tell("JOINED", { room: "x", recovered, epoch: "e", offset: recovered ? data.since.offset : 5 }, { id });
    };
    socket.open();
  });
  const room = client.join("x", { last: 20 }), joined = [];
  room.on("joined", ({ recovered }) => joined.push(recovered));
  await time.passes(1);
  assert.deepEqual([joins, gaps, room.position], [[{ room: "x", last: 20 }], [], { epoch: "e", offset: 5 }]);
  sockets[0].tell("PUSH", { room: "x", items: [1, 2], epoch: "e", offset: 7 });
  for (recovered of [true, false]) {
    sockets.at(-1).end();
    await time.passes(1000);
  }
  const [from, to] = [{ epoch: "e", offset: 7 }, { epoch: "e", offset: 5 }];
  assert.deepEqual(joins.slice(1), [{ room: "x", since: from }, { room: "x", since: from }]);
  assert.deepEqual([joined, gaps.filter(({ room }) => room)], [[false, true, false], [{ room: "x", missed: null, reason: "reconnected", from, to }]]);
});

test("A room that shall continue from a given position tells of a gap if the node cannot", async t => {
  const { client, time, sockets, gaps } = start(t, {}, socket => { answerJoin(socket); socket.open(); });
  client.join("x", { since: { epoch: "e", offset: 3 } });
  await time.passes(1);
  assert.deepEqual(sockets[0].sent[0].data, { room: "x", since: { epoch: "e", offset: 3 } });
  assert.deepEqual(gaps, [{ room: "x", missed: null, reason: "reconnected", from: { epoch: "e", offset: 3 } }]);
});

test("The answer to a JOIN of an earlier membership is not taken for the new one's", async t => {
  const { client, time, sockets } = start(t, {}, socket => socket.open());
  client.join("x");
  await time.passes(1);
  client.join("x").leave();
  const room = client.join("x");
  const [first, , second] = sockets[0].sent;
  sockets[0].tell("JOINED", { room: "x" }, { id: first.id });
  sockets[0].tell("PUSH", { room: "x", items: ["old"] });
  sockets[0].tell("LEFT", { room: "x" });
  assert.equal(room.state, "joining");
  sockets[0].tell("JOINED", { room: "x" }, { id: second.id });
  assert.equal(room.state, "joined");
});

test("Options and names that cannot work are refused at once", () => {
  const refused = [
    ["nonsense"], ["ftp://x/ws"], ["ws://x", { transport: "pigeon" }], ["ws://x", { encoding: "xml" }], ["ws://x", { minDelay: -1 }], ["ws://x", { maxDelay: NaN }],
    ["ws://x", { pingInterval: 2 ** 31 }], ["ws://x", { pingTimeout: "soon" }], ["ws://x", { connectTimeout: Infinity }],
  ];
  for (const values of refused) assert.throws(() => new RedisPush(...values), TypeError, JSON.stringify(values));
  const client = new RedisPush("ws://x", { encoding: undefined, fetch: undefined });
  assert.throws(() => client.join(), /name is a string/);
  assert.throws(() => client.on("message"), /not a function/);
  assert.equal(client.state, "disconnected");
});

test("A room that a listener joins while the connection opens is asked for once", async t => {
  const { client, time, sockets } = start(t, {}, socket => socket.open());
  client.on("state", ({ state }) => { if (state === "connected") client.join("x"); });
  client.on("gap", () => client.join("y"));
  client.connect();
  await time.passes(1);
  sockets[0].end();
  await time.passes(2000);
  assert.deepEqual(sockets.map(({ sent }) => sent.map(({ data }) => data.room)), [["x"], ["y", "x"]]);
});

test("A position does not pass messages that a listener has cut off", async t => {
  const { client, time, sockets } = start(t, {}, socket => { answerJoin(socket); socket.open(); });
  const room = client.join("x"), got = [];
  room.on("message", item => { got.push(item); if (item === 3) client.disconnect(); });
  await time.passes(1);
  sockets[0].tell("PUSH", { room: "x", items: [1, 2], epoch: "e", offset: 2 });
  sockets[0].tell("PUSH", { room: "x", items: [3, 4], epoch: "e", offset: 4 });
  assert.deepEqual([got, room.position], [[1, 2, 3], { epoch: "e", offset: 3 }]);
});
