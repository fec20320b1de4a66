// Gaps that the client heals from the node's history, and pages that an application reads. Without a network.
import assert from "node:assert/strict";
import { test } from "node:test";
import { heard, NodeHistory } from "./support/histories.mjs";
import { httpServer } from "./support/fakes.mjs";
import { joined, watched } from "./support/clients.mjs";
import { eventually } from "./support/eventually.mjs";
import { start } from "./support/offline.mjs";

/** A client in room x, whose HISTORYs wait for the test if `holds`. */
async function inRoom(t, { holds = false, join = { heal: true } } = {}) {
  const history = new NodeHistory(), held = holds ? [] : undefined;
  const parts = start(t, {}, socket => { history.answer(socket, held); socket.open(); });
  const room = parts.client.join("x", join);
  const log = heard(room);
  await parts.time.passes(1);
  const tell = (type, data, more) => parts.sockets.at(-1).tell(type, data, more);
  const settled = () => parts.time.passes(1);
  const asked = () => parts.sockets.at(-1).sent.filter(({ type }) => type === "HISTORY").map(({ data }) => data);
  return { ...parts, history, held, room, log, tell, settled, asked, gap: (from, to, reason = "slow") =>
    tell("GAP", { room: "x", missed: to - from, reason, from: history.at(from), to: history.at(to) }) };
}

test("A GAP heals page by page, and what comes meanwhile waits for it", async t => {
  const { history, tell, gap, log, settled, asked, room } = await inRoom(t);
  history.pageSize = 2;
  tell("PUSH", history.publish(1));
  history.publish(2, 3, 4, 5, 6);
  gap(1, 6);
  tell("PUSH", history.publish(7));
  tell("PUSH", { room: "x", items: ["plain"] });
  assert.deepEqual([log.slice(1), room.position], [[1], history.at(1)]);
  await settled();
  assert.deepEqual(log.slice(1), [1, 2, 3, 4, 5, 6, 7, "plain"]);
  assert.deepEqual(asked().map(({ since, limit }) => [since.offset, limit]), [[1, 1000], [3, 1000], [5, 1000]]);
  assert.deepEqual(room.position, history.at(7));
});

test("What follows the gap is taken from one source only, though a page has it too", async t => {
  const { history, tell, gap, log, settled, asked } = await inRoom(t);
  history.publish(1, 2, 3, 4, 5);
  gap(0, 2);
  tell("PUSH", { ...history.push(2), positioned: 3, items: [3, "plain", 4, 5] });
  await settled();
  assert.deepEqual([log.slice(1), asked().length], [[1, 2, 3, "plain", 4, 5], 1]);
});

test("A hole, and a reconnect that was not recovered, heal like a GAP", async t => {
  const { history, sockets, time, tell, log, settled } = await inRoom(t);
  history.publish(1, 2, 3);
  tell("PUSH", history.push(2, 3));
  await settled();
  history.publish(4, 5);
  history.join = () => ({ room: "x", recovered: false, ...history.position });
  sockets[0].end();
  await time.passes(1000);
  tell("PUSH", history.publish(6));
  assert.deepEqual(log, ["joined false", 1, 2, 3, "again false", 4, 5, 6]);
});

test("What the history no longer has is told as a gap before the rest", async t => {
  const { history, tell, gap, log, settled } = await inRoom(t);
  history.publish(1, 2, 3, 4, 5, 6);
  history.floor = 3;
  gap(0, 5);
  tell("PUSH", history.push(5));
  await settled();
  assert.deepEqual(log.slice(1), ["slow 3 e1.0-e1.3", 4, 5, 6]);
});

test("A gap of which nothing is left is told as the node told it", async t => {
  const { history, tell, gap, log, settled } = await inRoom(t);
  history.publish(1, 2, 3, 4, 5, 6);
  history.floor = 4;
  gap(0, 3);
  tell("PUSH", history.push(3));
  await settled();
  assert.deepEqual(log.slice(1), ["slow 3 e1.0-e1.3", 4, 5, 6]);
});

test("A gap that the node could not heal itself is told without asking", async t => {
  const { history, gap, log, settled, asked } = await inRoom(t);
  history.publish(1, 2, 3, 4);
  gap(0, 1, "history");
  gap(1, 2, "epoch");
  await settled();
  assert.deepEqual([log.slice(1), asked()], [["history 1 e1.0-e1.1", "epoch 1 e1.1-e1.2"], []]);
});

test("A node that is busy is asked again after a while, three times at most", async t => {
  const { history, held, tell, gap, log, settled, time } = await inRoom(t, { holds: true });
  history.publish(1, 2, 3);
  const refuse = async n => {
    await settled();
    assert.equal(held.length, n);
    tell("ERROR", { code: n % 2 ? "history_away" : "too_many_joins", message: "Later." }, { id: held[n - 1].id });
    await time.passes(3000);
  };
  gap(0, 2);
  tell("PUSH", history.push(2));
  for (const n of [1, 2]) await refuse(n);
  tell("HISTORY", history.page(held[2].data), { id: held[2].id });
  await settled();
  assert.deepEqual(log.slice(1), [1, 2, 3]);
  gap(3, 5);
  for (const n of [4, 5, 6]) await refuse(n);
  assert.deepEqual([log.slice(4), held.length], [["slow 2 e1.3-e1.5"], 6]);
});

for (const code of ["no_history", "not_joined", "nonsense"]) {
  test(`A gap that cannot heal (${code}) is told, and nothing else is lost`, async t => {
    const { history, held, tell, gap, log, settled, errors } = await inRoom(t, { holds: true });
    history.publish(1, 2, 3);
    gap(0, 2);
    tell("PUSH", history.push(2));
    await settled();
    tell("ERROR", { code, message: "No." }, { id: held[0].id });
    await settled();
    assert.deepEqual([log.slice(1), errors], [["slow 2 e1.0-e1.2", 3], []]);
  });
}

test("A node that does not answer a HISTORY costs 30 s, and a late answer does nothing", async t => {
  const { history, held, tell, gap, log, settled, time } = await inRoom(t, { holds: true });
  history.publish(1, 2, 3);
  gap(0, 2);
  tell("PUSH", history.push(2));
  await time.passes(29_000);
  assert.deepEqual(log.slice(1), []);
  await time.passes(2000);
  tell("HISTORY", history.page(held[0].data), { id: held[0].id });
  await settled();
  assert.deepEqual(log.slice(1), ["slow 2 e1.0-e1.2", 3]);
});

test("Too much to hold back ends the healing: the gap is told", async t => {
  const { history, held, tell, gap, log, settled } = await inRoom(t, { holds: true });
  const large = "x".repeat(3 << 20);
  history.publish(1, 2);
  gap(0, 2);
  for (let n = 0; n < 3; n++) tell("PUSH", history.publish(large));
  await settled();
  tell("HISTORY", history.page(held[0].data), { id: held[0].id });
  await settled();
  assert.deepEqual(log.slice(1).map(entry => entry === large ? "large" : entry), ["slow 2 e1.0-e1.2", "large", "large", "large"]);
});

test("A connection that is lost while a gap heals continues before the gap", async t => {
  const { history, held, sockets, tell, gap, log, time, settled } = await inRoom(t, { holds: true });
  tell("PUSH", history.publish(1));
  history.publish(2, 3);
  gap(1, 2);
  tell("PUSH", history.push(2));
  await settled();
  sockets[0].end();
  await time.passes(1000);
  assert.deepEqual([sockets[1].sent[0].data.since, held.length], [history.at(1), 1]);
  assert.deepEqual(log.slice(1), [1, "again true", 2, 3]);
});

test("A room that is left while a gap heals is silent", async t => {
  const { history, held, tell, gap, log, room, settled } = await inRoom(t, { holds: true });
  history.publish(1, 2);
  gap(0, 2);
  room.leave();
  await settled();
  if (held[0]) tell("HISTORY", history.page(held[0].data), { id: held[0].id });
  await settled();
  assert.deepEqual(log.slice(1), []);
});

test("An epoch that changes while a gap heals costs nothing that Redis still has", async t => {
  const { history, held, tell, gap, log, settled } = await inRoom(t, { holds: true });
  history.publish(1, 2, 3, 4);
  gap(0, 4);
  // A failover lost 4, and another 4 and 5 came.
  tell("GAP", { room: "x", missed: null, reason: "epoch", from: history.at(4), to: { epoch: "e2", offset: 3 } });
  history.epoch = "e2";
  history.items = [1, 2, 3, "other 4", 5];
  tell("PUSH", history.push(3));
  await settled();
  tell("HISTORY", { ...history.push(0), recovered: true, more: false }, { id: held[0].id });
  await settled();
  assert.deepEqual(log.slice(1), [1, 2, 3, "other 4", 5]);
});

test("A history that lost its end tells what it lost", async t => {
  const { history, held, tell, gap, log, settled, room } = await inRoom(t, { holds: true });
  history.publish(1, 2, 3, 4);
  gap(0, 4);
  await settled();
  tell("HISTORY", { room: "x", recovered: true, epoch: "e2", offset: 2, items: [1, 2], more: false }, { id: held[0].id });
  await settled();
  tell("GAP", { room: "x", missed: null, reason: "epoch", from: history.at(4), to: { epoch: "e2", offset: 2 } });
  tell("PUSH", { room: "x", epoch: "e2", offset: 3, items: ["new"] });
  assert.deepEqual(log.slice(1), [1, 2, "slow null e1.0-e2.2", "new"]);
  assert.deepEqual(room.position, { epoch: "e2", offset: 3 });
});

test("Pages of no sense end the healing, and each hole is told", async t => {
  const senseless = [
    undefined, {}, { items: 5 }, { items: [] }, { items: [1], epoch: "e1", offset: "1" }, { items: [1, 2, 3], epoch: "e1", offset: 1 }, { items: [], epoch: "e1", offset: 0, more: true },
    { items: [1], epoch: "e1", offset: 2 ** 53 }, { items: [7, 8], epoch: "e1", offset: 90, recovered: true },
  ];
  for (const page of senseless) {
    await t.test(JSON.stringify(page) ?? "nothing", async t => {
      const { history, held, tell, gap, log, settled } = await inRoom(t, { holds: true });
      history.publish(1, 2, 3);
      gap(0, 2);
      tell("PUSH", history.push(2));
      await settled();
      tell("HISTORY", page, { id: held[0].id });
      await settled();
      assert.deepEqual(log.slice(1), ["slow 2 e1.0-e1.2", 3]);
    });
  }
});

test("A node whose pages never end is asked only while they bring something", async t => {
  const { history, tell, gap, log, settled, asked } = await inRoom(t);
  history.publish(1, 2, 3, 4);
  history.page = () => ({ room: "x", recovered: true, epoch: "e1", offset: 2, items: [1, 2], more: true });
  gap(0, 4);
  await settled();
  tell("PUSH", { room: "x", epoch: "e1", offset: 5, items: [5] });
  assert.deepEqual([log.slice(1), asked().length], [[1, 2, "slow 2 e1.2-e1.4", 5], 2]);
});

test("An application reads pages, one after the other", async t => {
  const { history, held, room, tell, settled } = await inRoom(t, { holds: true, join: {} });
  tell("PUSH", history.publish(1, 2, 3));
  const pages = [room.history({ since: history.at(0), limit: 2 }), room.history({ since: history.at(2) }), room.history()];
  for (let n = 0; n < 3; n++) {
    await settled();
    assert.equal(held.length, n + 1);
    tell("HISTORY", history.page(held[n].data), { id: held[n].id });
  }
  assert.deepEqual(await Promise.all(pages), [
    { items: [1, 2], recovered: true, position: history.at(2), more: true },
    { items: [3], recovered: true, position: history.at(3), more: false },
    { items: [], recovered: true, position: history.at(3), more: false },
  ]);
  assert.deepEqual(held.map(({ data }) => data), [
    { room: "x", since: history.at(0), limit: 2 }, { room: "x", since: history.at(2) }, { room: "x", since: history.at(3) },
  ]);
});

test("A page that cannot be read is an error with its code", async t => {
  const { client, held, room, tell, sockets, settled } = await inRoom(t, { holds: true });
  const rejected = (page, code) => assert.rejects(page, error => error instanceof Error && error.code === code && error.room === "x" && !("maybeSent" in error));
  const refused = room.history();
  await settled();
  tell("ERROR", { code: "no_history", message: "No." }, { id: held[0].id });
  await rejected(refused, "no_history");
  const unreadable = room.history();
  await settled();
  tell("HISTORY", { items: "none" }, { id: held[1].id });
  await rejected(unreadable, "unreadable");
  const [lost, ...waiting] = Array.from({ length: 32 }, () => room.history());
  await rejected(room.history(), "too_many_waiting");
  await settled();
  sockets[0].end();
  await rejected(lost, "lost");
  for (const page of waiting) await rejected(page, "not_connected");
  client.disconnect();
  await rejected(room.history(), "not_connected");
});

test("Server-sent events cannot ask: the gap is told", async t => {
  const url = await httpServer(t, response => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = (name, data) => response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    send("joined", { room: "x", epoch: "e1", offset: 0 });
    send("gap", { room: "x", missed: 2, reason: "slow", from: { epoch: "e1", offset: 0 }, to: { epoch: "e1", offset: 2 } });
    send("push", { room: "x", epoch: "e1", offset: 3, items: [3] });
  });
  const { client } = watched(t, url, { transport: "sse" });
  const room = client.join("x", { heal: true }), log = heard(room);
  await joined(room);
  await eventually(() => log.length === 3, "the message");
  assert.deepEqual(log, ["joined false", "slow 2 e1.0-e1.2", 3]);
  await assert.rejects(room.history(), { code: "not_connected" });
});
