// The client against servers that break the protocol or refuse it.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { RedisPush } from "../dist/redispush.js";
import { joined, watched, WebSocket } from "./support/clients.mjs";
import { eventually } from "./support/eventually.mjs";
import { clock, fakeWebSocket, httpServer, socketServer } from "./support/fakes.mjs";
import { freePort } from "./support/programs.mjs";

for (const code of [1002, 1003, 1007, 1009, 4001, 4003, 4009]) {
  test(`Close code ${code} is final`, async t => {
    let connections = 0;
    const url = await socketServer(t, socket => { connections++; socket.close(code, "no"); });
    const { client, states, errors } = watched(t, url);
    const room = client.join("x");
    await eventually(() => errors.length, "the end");
    assert.deepEqual(states.at(-1), { state: "disconnected", previous: "connected", code, reason: "no", retryIn: undefined });
    assert.deepEqual([errors[0].code, errors[0].final, room.state, connections], ["closed", true, "joining", 1]);
  });
}

test("Messages that make no sense are told of, and the connection stays", async t => {
  const senseless = [
    "", "{", "null", "5", "[]", '"PUSH"', '{"type":"PUSH"}', '{"type":"PUSH","data":{"room":"x","items":5}}', '{"type":"PUSH","data":[]}',
    Buffer.from([]), Buffer.from([0xc1]), Buffer.from([0xdf, 255, 255, 255, 255]), Buffer.alloc(100_000, 0x91), Buffer.from([0x81, 0x01, 0x02]),
  ];
  const ignored = [
    "{}", '{"type":5}', '{"type":"NEW","data":1}', '{"type":"GAP"}', '{"type":"GAP","data":{"room":7}}', '{"type":"GAP","data":{"room":"y"}}', '{"type":"JOINED","data":{"room":{}}}',
    '{"type":"JOINED","data":{"room":"__proto__"}}', '{"type":"LEFT","data":{"room":"x"}}', '{"type":"PUSH","data":{"room":"other","items":[1]}}', '{"type":"PUSH","data":{"room":[],"items":[1]}}',
    '{"type":"EXPIRING","data":{"in":"soon"}}', '{"type":"EXPIRING"}', '{"__proto__":{"type":"PUSH"},"constructor":1}', '{"type":"PONG","data":null}',
  ];
  const url = await socketServer(t, socket => socket.on("message", () => {
    for (const message of [...senseless, ...ignored]) socket.send(message);
    socket.tell("PUSH", { room: "x", items: ["after"] });
  }));
  const { client, states, errors, gaps, messages } = watched(t, url);
  const room = client.join("x");
  await eventually(() => messages.length, "what makes sense");
  assert.deepEqual(messages, [{ item: "after", room: "x" }]);
  assert.deepEqual([states.length, room.state], [2, "joined"]);
  assert.ok(errors.every(({ code, final }) => code === "unreadable" && !final));
  assert.equal(errors.length, senseless.length);
  const told = gaps.filter(gap => gap.room === "x" && gap.reason === "unreadable").length;
  assert.equal(told, senseless.length);
});

test("Errors of any shape are told", async t => {
  const url = await socketServer(t, socket => {
    socket.received = ({ id }) => {
      for (const data of [undefined, 5, {}, { code: 7 }, { code: "rate_limited", message: {} }]) socket.tell("ERROR", data);
      socket.tell("ERROR", { code: "forbidden", message: "no" }, { id });
    };
  });
  const { client, errors } = watched(t, url);
  const room = client.join("x");
  await eventually(() => room.state === "failed", "the JOIN is refused");
  assert.deepEqual(errors.map(({ code, final }) => [code, final]), [["undefined", false], ["undefined", false], ["undefined", false], ["7", false], ["rate_limited", false], ["forbidden", true]]);
});

test("A membership that the node ends is told, and not joined again", async t => {
  const url = await socketServer(t, (socket, _, count) => {
    if (count) return;
    socket.received = ({ id, data }) => {
      socket.tell("JOINED", { room: data.room }, { id });
      socket.tell("LEFT", { room: data.room, reason: "forbidden" });
      socket.terminate();
    };
  });
  const { client, states, errors } = watched(t, url);
  const room = client.join("x");
  await eventually(() => states.filter(({ state }) => state === "connected").length === 2, "connected anew");
  assert.deepEqual([room.state, errors[0].code, errors[0].room, errors[0].final], ["failed", "forbidden", "x", true]);
});

test("Bytes that are no WebSocket frames cost one connection", async t => {
  const url = await socketServer(t, (socket, _, count) => { if (!count) socket._socket.write(Buffer.alloc(64, 0xff)); });
  const { client, states } = watched(t, url);
  await joined(client.join("x"));
  assert.equal(states.some(({ state }) => state === "disconnected"), false);
});

for (const [name, answer] of [["never answers", () => {}], ["answers with garbage", socket => socket.end("\0\0garbage\r\n\r\n")]]) {
  test(`A server that ${name} is given up and tried again`, async t => {
    let connections = 0;
    const server = createServer(socket => { connections++; socket.on("error", () => {}); answer(socket); }).listen(0, "127.0.0.1");
    await new Promise(listening => server.once("listening", listening));
    const { client } = watched(t, `ws://127.0.0.1:${server.address().port}/ws`, { connectTimeout: 100 });
    client.connect();
    await eventually(() => connections >= 4, "four attempts");
    client.disconnect();
    server.close();
  });
}

test("A refused connection is noticed at once, not by the deadline", async t => {
  const { client, states } = watched(t, `ws://127.0.0.1:${await freePort()}/ws`, { transport: "websocket", connectTimeout: 30_000 });
  client.connect();
  await eventually(() => states.filter(({ retryIn }) => retryIn !== undefined).length >= 3, "three attempts");
  assert.ok(states.every(({ reason }) => !reason?.includes("in time")), JSON.stringify(states));
});

test("A node that does not answer PING is left", async t => {
  const url = await socketServer(t, (socket, _, count) => {
    socket.received = ({ type, id, data }) => {
      if (type === "JOIN") socket.tell("JOINED", { room: data.room }, { id });
      if (type === "PING" && count) socket.tell("PONG", {});
    };
  });
  const { client, states } = watched(t, url, { pingInterval: 50, pingTimeout: 3000 });
  const room = client.join("x");
  let joins = 0;
  room.on("joined", () => joins++);
  await eventually(() => joins === 2, "joined on a second connection");
  assert.deepEqual(states.filter(({ code }) => code).map(({ reason }) => reason), ["No sign of life."]);
});

test("A listener that throws harms nobody else, and is reported", async t => {
  const reported = [];
  t.mock.method(console, "error", error => reported.push(error.message));
  const url = await socketServer(t, socket => socket.on("message", () => socket.tell("PUSH", { room: "x", items: [1, 2] })));
  const { client, messages } = watched(t, url);
  for (const event of ["state", "message"]) client.on(event, () => { throw new Error(event); });
  const room = client.join("x");
  for (const event of ["message", "batch", "joined"]) room.on(event, () => { throw new Error(`room ${event}`); });
  await eventually(() => messages.length === 2, "both messages");
  await eventually(() => reported.length >= 8, "every exception is reported", () => `${reported}`);
});

test("An error without a listener is written to the console", async t => {
  const warnings = [];
  t.mock.method(console, "warn", (...values) => warnings.push(values));
  const url = await socketServer(t, socket => { socket.received = ({ id }) => socket.tell("ERROR", { code: "bad_room", message: "no" }, { id }); });
  const client = new RedisPush(url, { WebSocket });
  t.after(() => client.disconnect());
  client.join("x");
  await eventually(() => warnings.length, "the warning");
  assert.equal(warnings[0][1].code, "bad_room");
});

test("10,000 connections that end at once leave no timer behind", async t => {
  const time = clock(t);
  let made = 0;
  const WebSocket = fakeWebSocket(socket => {
    if (++made % 7 === 0) return socket.onerror({});
    if (made % 3) socket.open();
    socket.end(made % 5 ? 1006 : 1001);
  });
  t.mock.method(Math, "random", () => 0.5);
  const client = new RedisPush("ws://x/ws", { WebSocket, minDelay: 1, maxDelay: 1, transport: "websocket" });
  client.on("error", () => {});
  for (let n = 0; n < 3; n++) client.join(`${n}`);
  while (made < 10_000) await time.passes(100);
  assert.equal(time.pending(), 1);
  client.disconnect();
  assert.equal(time.pending(), 0);
});

test("Server-sent events: what is not an event stream is refused, and final where it says so", async t => {
  const answers = [
    response => response.writeHead(200, { "content-type": "text/html" }).end("<h1>Log in</h1>"),
    response => response.writeHead(503, { "retry-after": "7" }).end(),
    response => response.writeHead(503, { "retry-after": "99999999999999999999" }).end(),
    response => response.writeHead(403).end(),
  ];
  const url = await httpServer(t, (response, _, count) => answers[count](response));
  const { client, states } = watched(t, url, { transport: "sse" });
  // Waits are not waited for.
  client.on("state", ({ retryIn }) => { if (retryIn > 300) { client.disconnect(); client.connect(); } });
  client.join("x");
  await eventually(() => states.at(-1).code === 4003, "the last answer", () => JSON.stringify(states));
  const refused = states.filter(({ code }) => code);
  assert.deepEqual(refused.map(({ code, reason }) => [code, reason]), [[1006, "HTTP 200"], [1006, "HTTP 503"], [1006, "HTTP 503"], [4003, "HTTP 403"]]);
  assert.ok(refused[1].retryIn >= 7000 && refused[1].retryIn <= 7100);
  assert.ok(refused[2].retryIn >= 900_000 && refused[2].retryIn <= 900_200);
});

test("Server-sent events: broken events are told of, and a broken close costs one connection", async t => {
  const url = await httpServer(t, (response, _, count) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    response.write('retry: 3\n\n:\n\nevent: joined\ndata: {"room":"x"}\n\nevent: push\ndata: {"room"\n\nevent: push\ndata: {"room":"x","items":[1]}\n\nnothing\n\nevent: new\ndata: 5\n\n');
    if (!count) response.write("event: close\ndata: null\n\n");
  });
  const { client, states, errors, messages } = watched(t, url, { transport: "sse" });
  client.join("x");
  await eventually(() => messages.length === 2, "the message of both connections");
  await eventually(() => client.state === "connected" && states.length === 5, "connected again", () => JSON.stringify(states));
  assert.deepEqual(errors.map(({ code }) => code), ["unreadable", "unreadable"]);
});

const events = response => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write('event: joined\ndata: {"room":"x"}\n\n');
};

test("Where a proxy lets only plain HTTP through, server-sent events take over with the second attempt", async t => {
  const url = await httpServer(t, events); // Node answers an upgrade like any other request here.
  const { client, states } = watched(t, url, { minDelay: 1 });
  await joined(client.join("x"));
  assert.equal(client.transport, "sse");
  const waits = states.filter(({ retryIn }) => retryIn !== undefined);
  assert.deepEqual([waits.length, waits[1].retryIn], [2, 0]);
});

test("Where server-sent events fail too, WebSocket is tried again", async t => {
  let opened = 0;
  const WebSocket = fakeWebSocket(socket => {
    if (++opened < 4) return socket.end();
    socket.open();
    socket.tell("JOINED", { room: "x" });
  });
  const { client } = watched(t, "ws://127.0.0.1:9/ws", { WebSocket, minDelay: 1, fetch: async () => { throw new TypeError("down"); } });
  await joined(client.join("x"));
  assert.deepEqual([client.transport, opened], ["websocket", 4]);
});

test("Without a WebSocket, server-sent events are used", async t => {
  const here = globalThis.WebSocket;
  globalThis.WebSocket = undefined;
  t.after(() => { globalThis.WebSocket = here; });
  const { client } = watched(t, await httpServer(t, events), { WebSocket: undefined });
  await joined(client.join("x"));
  assert.equal(client.transport, "sse");
  assert.throws(() => new RedisPush("ws://x", { transport: "websocket" }), /There is no WebSocket here/);
});
