// What a room's positions are good for: nothing comes twice, and nothing is missing untold. Without a network.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RedisPush } from "../dist/redispush.js";
import { httpServer } from "./support/fakes.mjs";
import { heard, NodeHistory } from "./support/histories.mjs";
import { start } from "./support/offline.mjs";
import { randomFrom } from "./support/random.mjs";
import { source } from "./support/source.mjs";
import { joined, watched } from "./support/clients.mjs";
import { eventually } from "./support/eventually.mjs";

/** A client in room x of a node with a history. */
async function inRoom(t, { history = new NodeHistory(), options, join } = {}) {
  const parts = start(t, options, socket => { history.answer(socket); socket.open(); });
  const room = parts.client.join("x", join);
  const log = heard(room);
  await parts.time.passes(1);
  return { ...parts, history, room, log, tell: (type, data) => parts.sockets.at(-1).tell(type, data) };
}

test("A reconnect that the node recovers is no gap, and what was missed follows", async t => {
  const { history, sockets, time, tell, log, room } = await inRoom(t);
  tell("PUSH", history.publish(1, 2));
  sockets[0].end();
  history.publish(3, 4);
  await time.passes(1000);
  assert.deepEqual(sockets[1].sent[0].data, { room: "x", since: { epoch: "e1", offset: 2 } });
  tell("PUSH", history.publish(5));
  assert.deepEqual(log, ["joined false", 1, 2, "again true", 3, 4, 5]);
  assert.deepEqual(room.position, { epoch: "e1", offset: 5 });
});

test("A reconnect that the node cannot recover is one gap with its positions", async t => {
  const { history, sockets, time, tell, log } = await inRoom(t);
  tell("PUSH", history.publish(1));
  sockets[0].end();
  history.publish(2, 3, 4);
  history.floor = 2;
  await time.passes(1000);
  tell("PUSH", history.publish(5));
  assert.deepEqual(log, ["joined false", 1, "again false", "reconnected 3 e1.1-e1.4", 5]);
});

test("A history that began anew is a gap of unknown size", async t => {
  const { history, sockets, time, tell, log, room } = await inRoom(t);
  tell("PUSH", history.publish(1, 2, 3));
  sockets[0].end();
  Object.assign(history, { epoch: "e2", items: [] });
  await time.passes(1000);
  tell("PUSH", history.publish(1));
  assert.deepEqual([log.slice(4), room.position], [["again false", "reconnected null e1.3-e2.0", 1], { epoch: "e2", offset: 1 }]);
});

test("A message never comes twice, and a hole is told", async t => {
  const { history, tell, log } = await inRoom(t);
  history.publish(1, 2, 3, 4, 5, 6, 7, 8, 9);
  for (const [from, to] of [[0, 2], [1, 3], [0, 3], [2, 5], [6, 7], [0, 1], [5, 9]]) tell("PUSH", history.push(from, to));
  assert.deepEqual(log.slice(1), [1, 2, 3, 4, 5, "hole 1 e1.5-e1.6", 7, 8, 9]);
});

test("Plain messages among positioned ones come once, and a frame that cannot be told apart is a hole", async t => {
  const { tell, log, room } = await inRoom(t);
  tell("PUSH", { room: "x", epoch: "e1", offset: 2, positioned: 2, items: [1, "plain", 2] });
  tell("PUSH", { room: "x", items: ["plain"] });
  assert.deepEqual(room.position, { epoch: "e1", offset: 2 });
  tell("PUSH", { room: "x", epoch: "e1", offset: 2, positioned: 2, items: [1, "plain", 2] });
  tell("PUSH", { room: "x", epoch: "e1", offset: 3, positioned: 2, items: [2, "plain", 3] });
  tell("PUSH", { room: "x", epoch: "e1", offset: 4, items: [4] });
  assert.deepEqual(log.slice(1), [1, "plain", 2, "plain", "hole 1 e1.2-e1.3", 4]);
});

test("A younger epoch that continues the numbers is no gap; any other one is", async t => {
  const { tell, log, room } = await inRoom(t);
  tell("PUSH", { room: "x", epoch: "e1", offset: 1, items: [1] });
  tell("PUSH", { room: "x", epoch: "e2", offset: 2, items: [2] });
  tell("PUSH", { room: "x", epoch: "e3", offset: 2, items: [3] });
  assert.deepEqual(log.slice(1), [1, 2, "hole null e2.2-e3.1", 3]);
  assert.deepEqual(room.position, { epoch: "e3", offset: 2 });
});

test("A GAP moves the room to its end, and one that is behind the room is nothing", async t => {
  const { tell, log, room } = await inRoom(t);
  tell("PUSH", { room: "x", epoch: "e1", offset: 3, items: [1, 2, 3] });
  tell("GAP", { room: "x", missed: 4, reason: "slow", from: { epoch: "e1", offset: 3 }, to: { epoch: "e1", offset: 7 } });
  assert.deepEqual(room.position, { epoch: "e1", offset: 7 });
  tell("GAP", { room: "x", missed: 2, reason: "slow", from: { epoch: "e1", offset: 3 }, to: { epoch: "e1", offset: 5 } });
  tell("GAP", { room: "x", missed: null, reason: "epoch", from: { epoch: "e1", offset: 7 }, to: { epoch: "e2", offset: 2 } });
  tell("PUSH", { room: "x", epoch: "e2", offset: 3, items: [8] });
  tell("GAP", { room: "x", missed: null, reason: "backplane" });
  assert.deepEqual(log.slice(1), [1, 2, 3, "slow 4 e1.3-e1.7", "epoch null e1.7-e2.2", 8, "backplane null e2.3-?"]);
});

test("Positions of no sense are none: messages come, and nothing moves back", async t => {
  const { tell, log, room } = await inRoom(t);
  tell("PUSH", { room: "x", epoch: "e1", offset: 1, items: [1] });
  const senseless = [
    { epoch: 5, offset: 2 }, { epoch: "", offset: 2 }, { epoch: "E", offset: 2 }, { epoch: "x".repeat(65), offset: 2 }, { epoch: "e1" }, { offset: 2 }, { epoch: "e1", offset: -1 },
    { epoch: "e1", offset: 1.5 }, { epoch: "e1", offset: "2" }, { epoch: "e1", offset: 2 ** 53 }, { epoch: "e1", offset: 1e300 }, { epoch: "e1", offset: null }, { epoch: "e1", offset: 0 },
    { epoch: "e1", offset: 2, positioned: 2 }, { epoch: "e1", offset: 2, positioned: -1 }, { epoch: "e1", offset: 2, positioned: "1" }, { epoch: "e1", offset: 2, positioned: {} },
  ];
  for (const data of senseless) tell("PUSH", { room: "x", items: ["m"], ...data });
  const gaps = [{ to: 5 }, { to: { epoch: "e1", offset: 2 ** 60 } }, { to: { epoch: {}, offset: 9 } }, { to: [], from: "x", missed: -3 }, { to: null, missed: 2 ** 70 }, { items: 5 }, { items: ["no"] }];
  for (const data of gaps) tell("GAP", { room: "x", reason: "slow", ...data });
  assert.deepEqual(log.slice(1), [1, ...senseless.map(() => "m"), ...gaps.map(() => "slow null e1.1-?")]);
  assert.deepEqual(room.position, { epoch: "e1", offset: 1 });
});

for (const [name, answer, recovered, expected] of [
  ["behind", { offset: 1 }, true, [3, 4]],
  ["ahead", { offset: 3 }, false, ["reconnected 1 e1.2-e1.3", 4]],
  ["in another history", { epoch: "e9", offset: 7 }, false, ["reconnected null e1.2-e9.7", "hole null e9.7-e1.3", 4]],
  ["nowhere", { epoch: undefined, offset: undefined }, true, [3, 4]],
]) {
  test(`A node that says recovered, but begins ${name}, is not believed more than its numbers`, async t => {
    const { history, sockets, time, tell, log } = await inRoom(t);
    tell("PUSH", history.publish(1, 2));
    history.join = () => ({ room: "x", recovered: true, epoch: "e1", offset: 2, ...answer });
    sockets[0].end();
    history.answer = socket => { socket.received = ({ type, id }) => type === "JOIN" && socket.tell("JOINED", history.join(), { id }); };
    await time.passes(1000);
    history.publish(3, 4);
    tell("PUSH", answer.offset > 2 ? history.push(3) : history.push(1));
    assert.deepEqual(log.slice(3), [`again ${recovered}`, ...expected]);
  });
}

test("A node without history, and one before it, are as they were", async t => {
  const asked = [];
  let answer = {};
  const { client, time, sockets, gaps } = start(t, {}, socket => {
    socket.received = ({ type, id, data }) => {
      if (type !== "JOIN") return;
      asked.push(data);
      socket.tell("JOINED", { room: "x", ...answer }, { id });
    };
    socket.open();
  });
  const room = client.join("x"), log = heard(room);
  await time.passes(1);
  sockets[0].tell("PUSH", { room: "x", items: [1] });
  sockets[0].tell("GAP", { room: "x", missed: 3, reason: "slow" });
  sockets[0].end();
  await time.passes(1000);
  sockets[1].tell("PUSH", { room: "x", epoch: "e", offset: 5, items: [2] });
  answer = { recovered: false };
  for (let n = 0; n < 2; n++) {
    sockets.at(-1).end();
    await time.passes(1000);
  }
  assert.deepEqual(log, ["joined false", 1, "slow 3 ?-?", "again false", "reconnected null ?-?", 2, "again false", "reconnected null e.5-?", "again false", "reconnected null ?-?"]);
  assert.deepEqual(asked, [{ room: "x" }, { room: "x" }, { room: "x", since: { epoch: "e", offset: 5 } }, { room: "x" }]);
  assert.deepEqual([room.position, client.positions], [undefined, {}]);
  assert.deepEqual(gaps.filter(gap => gap.room && gap.reason === "reconnected")[0], { room: "x", missed: null, reason: "reconnected" });
});

test("Positions are read out of one client and given to the next, each for one join", async t => {
  const { history, client, tell } = await inRoom(t);
  tell("PUSH", history.publish(1, 2));
  assert.deepEqual(client.positions, { x: { epoch: "e1", offset: 2 } });
  const stored = JSON.parse(JSON.stringify(client.positions));
  client.disconnect();
  history.publish(3);
  t.mock.restoreAll();
  const { sockets, time, log, room, client: next } = await inRoom(t, { history, options: { positions: stored } });
  assert.deepEqual(sockets[0].sent[0].data, { room: "x", since: stored.x });
  assert.deepEqual(log, ["joined true", 3]);
  room.leave();
  next.join("x");
  await time.passes(1);
  assert.deepEqual(sockets[0].sent.at(-1).data, { room: "x" });
  assert.deepEqual(stored, { x: { epoch: "e1", offset: 2 } });
});

test("Positions that are none are refused at once", () => {
  for (const position of [5, null, {}, { epoch: "e", offset: "5" }, { epoch: "E", offset: 5 }, { epoch: "e", offset: -1 }]) {
    assert.throws(() => new RedisPush("ws://x", { positions: { x: position } }), /no position of x/);
    if (position) assert.throws(() => new RedisPush("ws://127.0.0.1:9").join("x", { since: position }), TypeError);
  }
});

test("A listener that ends the room in the middle of a PUSH gets the rest with the next connection", async t => {
  const { client, history, sockets, time, tell, room, log } = await inRoom(t);
  const end = room.on("message", item => { if (item === 2) client.disconnect(); });
  tell("PUSH", history.publish(1, 2, 3, 4));
  assert.deepEqual([log.slice(1), room.position], [[1, 2], { epoch: "e1", offset: 2 }]);
  end();
  client.connect();
  await time.passes(1);
  assert.deepEqual([log.slice(1), sockets.length], [[1, 2, "again true", 3, 4], 2]);
});

test("A listener of joined that disconnects leaves a gap that is told later", async t => {
  const { client, history, sockets, time, tell, room, log } = await inRoom(t);
  tell("PUSH", history.publish(1));
  sockets[0].end();
  history.publish(2, 3);
  history.floor = 3;
  const end = room.on("joined", () => client.disconnect());
  await time.passes(1000);
  end();
  client.connect();
  await time.passes(1);
  assert.deepEqual(log.slice(1), [1, "again false", "again false", "reconnected 2 e1.1-e1.3"]);
});

test("Server-sent events continue each room after its own position", async t => {
  const urls = [];
  const url = await httpServer(t, (response, { search }, count) => {
    urls.push(search);
    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = (name, data) => response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    for (const room of ["a", "b"]) {
      send("joined", { room, recovered: count ? true : undefined, epoch: `e${room}`, offset: count * 2 });
      send("push", { room, epoch: `e${room}`, offset: count * 2 + 2, items: [1, 2] });
    }
    if (count < 1) response.write('event: close\ndata: {"code":1001,"reason":"retry=0"}\n\n');
  });
  const { client, messages, gaps } = watched(t, url, { transport: "sse" });
  const rooms = [client.join("a", { last: 2 }), client.join("b", { since: { epoch: "old", offset: 9 }, last: 3 })];
  await eventually(() => messages.length === 8, "both connections' messages", () => JSON.stringify([urls, messages]));
  for (const room of rooms) await joined(room);
  assert.deepEqual(urls.slice(0, 2), ["?room=a&last=2&room=b&since=old.9&last=3", "?room=a&since=ea.2&room=b&since=eb.2"]);
  assert.deepEqual(gaps.filter(({ room }) => room), [{ room: "b", missed: null, reason: "reconnected", from: { epoch: "old", offset: 9 }, to: { epoch: "eb", offset: 0 } }]);
});

test("Whatever a server sends, nothing comes twice within an epoch and no hole is untold", async t => {
  const random = randomFrom(t), below = most => Math.floor(random() * most);
  const { follow, covers } = await source("position");
  for (let round = 0; round < 300; round++) {
    let known;
    const got = new Set();
    for (let n = 0; n < 60; n++) {
      const epoch = `e${below(20) ? 1 : 2}`, offset = below(40), count = below(6);
      const data = { epoch, offset, items: Array.from({ length: count }, (_, i) => offset - count + 1 + i) };
      const { items, start, end, gap } = follow(known, data);
      if (!end) {
        assert.ok(count > offset ? items.length === count : covers(known, data) && !items.length);
        continue;
      }
      if (known?.epoch !== epoch) got.clear(); // What an epoch says of another one, nobody can check.
      for (const item of items) {
        assert.ok(!got.has(item), `${item} came twice`);
        got.add(item);
      }
      assert.equal(end.offset - start.offset, items.length);
      assert.equal(!!gap, !!known && known.offset !== start.offset, JSON.stringify([known, data]));
      known = end;
    }
  }
});
