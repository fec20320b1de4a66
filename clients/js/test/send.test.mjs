// SEND, LEAVE and the count of a room: what is asked of the node, and what becomes of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { start } from "./support/offline.mjs";

/** A joined room over a socket whose SENDs the test answers. */
async function joinedRoom(t, options, join) {
  const sends = [], leaves = [];
  const context = start(t, options, socket => {
    socket.received = message => {
      if (message.type === "JOIN") socket.tell("JOINED", { room: message.data.room, online: message.data.online ? 3 : undefined }, { id: message.id });
      if (message.type === "PING") socket.tell("PONG", {});
      if (message.type === "SEND") sends.push(message);
      if (message.type === "LEAVE") leaves.push(message);
    };
    socket.open();
  });
  const room = context.client.join("x", join);
  await context.time.passes(1);
  const refuse = (message, code, more) => context.sockets.at(-1).tell("ERROR", { code, message: `It is ${code}.`, ...more }, { id: message.id });
  return { ...context, room, sends, leaves, refuse, tell: (...values) => context.sockets.at(-1).tell(...values) };
}

const outcome = promise => promise.then(() => "sent", ({ code, maybeSent, wait }) => [code, maybeSent, wait]);

test("send resolves with SENT", async t => {
  const { room, sends, tell } = await joinedRoom(t);
  const sent = outcome(room.send({ text: "hello" }));
  assert.deepEqual(sends[0].data, { room: "x", item: { text: "hello" } });
  tell("SENT", { room: "x" }, { id: sends[0].id });
  assert.equal(await sent, "sent");
});

test("send is rejected with the node's code, and says whether the message may be out", async t => {
  const { room, sends, refuse, errors } = await joinedRoom(t);
  const rows = [
    ["forbidden"], ["muted"], ["slow_mode", { wait: 2500 }], ["send_limited"], ["not_sent"], ["not_confirmed"], ["bad_item"], ["bad_room"], ["too_many_requests"], ["unknown_type"],
  ];
  for (const [code, more] of rows) {
    const sent = outcome(room.send(1));
    refuse(sends.at(-1), code, more);
    assert.deepEqual(await sent, [code, code === "not_confirmed", more?.wait]);
  }
  assert.deepEqual([room.state, errors], ["joined", []], "the promise is told, and nobody else");
});

test("A rejection is an error that names room and reason", async t => {
  const { room, sends, refuse } = await joinedRoom(t);
  const sent = room.send(1);
  refuse(sends[0], "muted");
  await assert.rejects(sent, error => error instanceof Error && error.name === "SendError" && error.room === "x" && error.message === "It is muted.");
});

test("A lost connection rejects what has no answer, and nothing is sent again", async t => {
  const { client, time, room, sends, sockets } = await joinedRoom(t);
  const sent = [outcome(room.send(1)), outcome(room.send(2))];
  sockets[0].end();
  assert.deepEqual(await Promise.all(sent), [["lost", true, undefined], ["lost", true, undefined]]);
  assert.deepEqual(await outcome(room.send(3)), ["not_connected", false, undefined]);
  await time.passes(60_000);
  assert.deepEqual([client.state, sends.length], ["connected", 2]);
  sockets[1].tell("SENT", { room: "x" }, { id: sends[0].id });
  const last = outcome(room.send(4));
  client.disconnect();
  assert.deepEqual([await last, time.pending()], [["lost", true, undefined], 0]);
});

test("Eight messages are in flight at most", async t => {
  const { room, sends, tell } = await joinedRoom(t);
  const sent = Array.from({ length: 9 }, (_, n) => outcome(room.send(n)));
  assert.deepEqual([await sent[8], sends.length], [["send_limited", false, undefined], 8]);
  tell("SENT", { room: "x" }, { id: sends[0].id });
  assert.equal(await sent[0], "sent");
  room.send(9).catch(() => {});
  assert.equal(sends.length, 9);
});

test("A message that the node drops over its rate is given up in the end", async t => {
  const { time, room, sends, tell, errors } = await joinedRoom(t);
  const sent = outcome(room.send(1));
  tell("ERROR", { code: "rate_limited", message: "Too fast." });
  await time.passes(30_000);
  assert.deepEqual([await sent, sends.length, errors.map(({ code }) => code)], [["no_answer", true, undefined], 1, ["rate_limited"]]);
});

test("What JSON has not, and what the node would close the connection for, is not sent", async t => {
  const { room, sends } = await joinedRoom(t);
  const circle = {};
  circle.circle = circle;
  for (const item of [undefined, () => {}, Symbol("x"), 1n, circle, "é".repeat(2048)]) assert.deepEqual(await outcome(room.send(item)), ["bad_item", false, undefined]);
  assert.equal(sends.length, 0);
  for (const item of [null, 0, "", false, "é".repeat(2000)]) room.send(item).catch(() => {});
  assert.deepEqual(sends.map(({ data }) => data.item), [null, 0, "", false, "é".repeat(2000)]);
});

test("Another limit of the node's can be named", async t => {
  const { room, sends } = await joinedRoom(t, { maxMessageBytes: 100_000 });
  room.send("x".repeat(50_000)).catch(() => {});
  assert.equal(sends.length, 1);
});

test("Server-sent events carry nothing to the node", async t => {
  const { client, time } = start(t, { transport: "sse", fetch: async () => new Response(new ReadableStream(), { headers: { "content-type": "text/event-stream" } }) });
  const room = client.join("x");
  await time.passes(100);
  assert.deepEqual([client.transport, await outcome(room.send(1))], ["sse", ["not_connected", false, undefined]]);
});

test("online comes with JOINED, and with messages when it has changed", async t => {
  const { room, sockets, tell, time } = await joinedRoom(t, {}, { online: true });
  const told = [];
  assert.equal(room.online, 3);
  room.on("online", count => told.push(count));
  tell("PUSH", { room: "x", items: [1], online: 4 });
  tell("PUSH", { room: "x", items: [2] });
  tell("PUSH", { room: "x", items: [], online: 5 });
  tell("PUSH", { room: "x", items: [], online: "many" });
  assert.deepEqual([told, room.online], [[4, 5], 5]);
  sockets[0].end();
  await time.passes(1000);
  assert.deepEqual([told, sockets[1].sent[0].data], [[4, 5, 3], { room: "x", online: true }]);
});

test("Server-sent events ask for online in the URL, if a room wants it", async t => {
  const urls = [];
  const fetch = async url => {
    urls.push(url);
    return new Response(new ReadableStream({ start: stream => stream.enqueue(new TextEncoder().encode('event: joined\ndata: {"room":"y","online":2}\n\n')) }), { headers: { "content-type": "text/event-stream" } });
  };
  const { client, time } = start(t, { transport: "sse", fetch });
  client.join("x");
  await time.passes(1);
  const y = client.join("y", { online: true });
  await time.passes(500);
  assert.deepEqual(urls, ["https://example.org/sse?room=x", "https://example.org/sse?room=x&room=y&online=1"]);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.equal(y.online, 2);
});

test("A room that a listener leaves at its count gets no more", async t => {
  const { room, tell } = await joinedRoom(t);
  const got = [];
  room.on("online", () => room.leave());
  for (const event of ["batch", "message"]) room.on(event, item => got.push(item));
  tell("PUSH", { room: "x", items: [1], online: 4 });
  assert.deepEqual([got, room.state], [[], "left"]);
});

test("A LEAVE that the node drops over its rate is repeated, until LEFT", async t => {
  const { room, time, leaves, tell } = await joinedRoom(t);
  room.leave();
  for (let n = 1; n < 4; n++) {
    tell("ERROR", { code: "rate_limited", message: "Too fast." });
    await time.passes(20_000);
    assert.equal(leaves.length, n + 1);
  }
  tell("LEFT", { room: "x" }, { id: leaves.at(-1).id });
  tell("ERROR", { code: "rate_limited", message: "Too fast." });
  await time.passes(60_000);
  assert.equal(leaves.length, 4);
});

test("A room that is joined again is not left by an earlier LEAVE", async t => {
  const { client, room, time, leaves, refuse, sockets } = await joinedRoom(t);
  room.leave();
  refuse(leaves[0], "too_many_requests");
  const again = client.join("x");
  await time.passes(60_000);
  assert.deepEqual([leaves.length, again.state], [1, "joined"]);
  again.leave();
  sockets[0].tell("ERROR", { code: "rate_limited", message: "Too fast." });
  sockets[0].end();
  await time.passes(5000);
  assert.deepEqual([leaves.length, sockets.length], [2, 2], "a new connection is in no room");
});
