// The parts of the client that can be looked at alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode as reference, encode } from "@msgpack/msgpack";
import { randomFrom } from "./support/random.mjs";
import { source } from "./support/source.mjs";

const { backOff } = await source("backoff");
const { address } = await source("address");
const { decode } = await source("msgpack");
const { eventParser } = await source("sse");

test("The back-off is random between 0 and its limit", () => {
  const waits = Array.from({ length: 10_000 }, () => backOff(2, 100, 1000));
  assert.ok(Math.min(...waits) >= 0 && Math.max(...waits) < 400);
  for (let tenth = 0; tenth < 10; tenth++) {
    const inside = waits.filter(wait => wait >= tenth * 40 && wait < (tenth + 1) * 40).length;
    assert.ok(inside > 700 && inside < 1300, `${inside} of 10,000 in the tenth ${tenth}`);
  }
  assert.equal(backOff(5000, 100, 1000, () => 1), 1000);
});

test("Addresses of both transports follow from one URL", () => {
  const rows = [
    ["ws://h:1/ws", "ws://h:1/ws", "http://h:1/sse"],
    ["wss://h/connect", "wss://h/connect", "https://h/sse"],
    ["https://h", "wss://h/ws", "https://h/sse"],
    ["http://h/push/sse", "ws://h/push/ws", "http://h/push/sse"],
    ["wss://h/a/ws?key=1#top", "wss://h/a/ws?key=1", "https://h/a/sse?key=1"],
  ];
  for (const [url, websocket, sse] of rows) assert.deepEqual([address(url, "websocket", []), address(url, "sse", [])], [websocket, sse], url);
  assert.equal(address("ws://h/ws", "sse", [["room", "a b&c/é"], ["room", "+"]]), "http://h/sse?room=a+b%26c%2F%C3%A9&room=%2B");
});

test("MessagePack decodes as the reference does", t => {
  const random = randomFrom(t);
  const pick = values => values[Math.floor(random() * values.length)];
  const text = () => pick(["", "a", "é", "🎉", "\ufeffbom", "x".repeat(31), "x".repeat(32), "é".repeat(128), "x".repeat(256), "x".repeat(70_000)]);
  const value = depth => pick([
    () => null, () => true, () => false, text, () => Math.floor((random() - 0.5) * 2 ** Math.floor(random() * 60)), () => random() * 1e9, () => Infinity,
    ...(depth < 4 ? [
      () => Array.from({ length: pick([0, 1, 3, 15, 16, 40]) }, () => value(depth + 2)),
      () => Object.fromEntries(Array.from({ length: pick([0, 1, 15, 16, 20]) }, (_, n) => [`${n}${text().slice(0, 40)}`, value(depth + 2)])),
    ] : []),
  ])();
  for (let n = 0; n < 1000; n++) {
    const original = value(0);
    const bytes = encode(original);
    assert.deepEqual(decode(bytes), reference(bytes));
    assert.deepEqual(decode(bytes), original);
    // A part of it is never taken for the whole.
    const end = Math.floor(random() * bytes.length);
    assert.throws(() => decode(bytes.subarray(0, end)));
  }
  assert.deepEqual(decode(encode(Array(70_000).fill(1))).length, 70_000);
  for (const form of [[0xcf, 0x7f, 255, 255, 255, 255, 255, 255, 255], [0xd3, 128, 0, 0, 0, 0, 0, 0, 0], [0xca, 0x3f, 0x80, 0, 0], [0xd0, 0x80], [0xd1, 128, 0], [0xd2, 128, 0, 0, 0]])
    assert.equal(decode(Uint8Array.from(form)), Number(reference(Uint8Array.from(form), { useBigInt64: true })));
});

test("MessagePack that JSON has not is refused, and a member __proto__ is only a member", () => {
  for (const bytes of [[], [0xc1], [0xc4, 1, 0], [0xd4, 1, 0], [0xa1, 0xff], [0x81, 1, 1], [0xc0, 0xc0], [0xdd, 255, 255, 255, 255], [0xdf, 128, 0, 0, 0], [0xdb, 255, 255, 255, 255]])
    assert.throws(() => decode(Uint8Array.from(bytes)), `${bytes}`);
  const value = decode(Uint8Array.from([0x81, 0xa9, ...Buffer.from("__proto__"), 0x81, 0xa1, 0x78, 1]));
  assert.deepEqual(Object.entries(value), [["__proto__", { x: 1 }]]);
  assert.deepEqual([Object.getPrototypeOf(value), {}.x], [Object.prototype, undefined]);
  // A view into a larger buffer.
  assert.equal(decode(new Uint8Array([9, 9, 0xa1, 0x78, 9]).subarray(2, 4)), "x");
});

test("Server-sent events are the same in pieces of every size", () => {
  const stream = ':\n\nretry: 5\n\nevent: push\r\ndata: {"a":"é🎉"}\r\n\r\nevent:bare\ndata:x\n\ndata: one\ndata:  two\ndata\n\nevent: without data\n\nid: 5\nunknown: 1\n: comment\ndata: last\n\ndata: unfinished';
  const expected = [["push", '{"a":"é🎉"}'], ["bare", "x"], ["message", "one\n two\n"], ["message", "last"]];
  const bytes = new TextEncoder().encode(stream);
  const events = pieces => {
    const got = [], decoder = new TextDecoder();
    const parse = eventParser((name, data) => got.push([name, data]));
    for (const piece of pieces) parse(decoder.decode(piece, { stream: true }));
    return got;
  };
  for (let cut = 0; cut <= bytes.length; cut++) assert.deepEqual(events([bytes.subarray(0, cut), bytes.subarray(cut)]), expected, `cut at ${cut}`);
  for (let size = 1; size < 10; size++)
    assert.deepEqual(events(Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size))), expected, `pieces of ${size}`);
});

test("An event without an end does not fill the memory", () => {
  const parse = eventParser(() => assert.fail());
  const megabyte = "x".repeat(1 << 20);
  assert.throws(() => { for (let n = 0; n < 100; n++) parse(`data: ${megabyte}${n % 2 ? "\n" : ""}`); }, /has more than/);
});
