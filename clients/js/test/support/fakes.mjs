// Servers that misbehave, and a browser's globals.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

/** A WebSocket server. `connected` gets each socket, its URL and how many came before. */
export async function socketServer(test, connected) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise(listening => server.once("listening", listening));
  let count = 0;
  server.on("connection", (socket, request) => {
    socket.on("error", () => {});
    socket.tell = (type, data, more) => socket.send(JSON.stringify({ type, data, ...more }));
    // What a node does with JOIN, unless the test takes it.
    socket.on("message", text => {
      const { type, id, data } = JSON.parse(text);
      socket.received?.({ type, id, data });
      if (type === "JOIN" && !socket.received) socket.tell("JOINED", { room: data.room }, { id });
    });
    connected(socket, new URL(request.url, "ws://x"), count++);
  });
  test.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${server.address().port}/ws`;
}

/** An HTTP server that answers as the test says; an upgrade it refuses. */
export async function httpServer(test, answer) {
  let count = 0;
  const server = createServer((request, response) => answer(response, new URL(request.url, "http://x"), count++));
  await new Promise(listening => server.listen(0, "127.0.0.1", listening));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `ws://127.0.0.1:${server.address().port}/ws`;
}

/** A WebSocket that does what the test says, without a network. */
export function fakeWebSocket(made) {
  return class {
    readyState = 0;
    sent = [];
    constructor(url) {
      this.url = url;
      queueMicrotask(() => made(this));
    }
    open() { this.onopen({}); }
    tell(type, data, more) { this.onmessage({ data: JSON.stringify({ type, data, ...more }) }); }
    end(code = 1006, reason = "", wasClean = code !== 1006) { this.onclose({ code, reason, wasClean }); }
    send(text) {
      const message = JSON.parse(text);
      this.sent.push(message);
      if (this.received) this.received(message);
      else if (message.type === "PING") this.tell("PONG", {});
    }
    close() { this.closed = true; }
  };
}

/** The events and properties of a page; gone after the test. */
export function browser(test) {
  const page = new EventTarget(), document = new EventTarget();
  let listeners = 0;
  for (const target of [page, document]) {
    const { addEventListener, removeEventListener } = EventTarget.prototype;
    target.addEventListener = (...values) => { listeners++; addEventListener.apply(target, values); };
    target.removeEventListener = (...values) => { listeners--; removeEventListener.apply(target, values); };
  }
  const globals = { addEventListener: page.addEventListener, removeEventListener: page.removeEventListener, document, navigator: { onLine: true } };
  const before = Object.fromEntries(Object.keys(globals).map(name => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  test.after(() => {
    for (const [name, descriptor] of Object.entries(before)) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete globalThis[name];
    }
  });
  return {
    goes: online => { globals.navigator.onLine = online; page.dispatchEvent(new Event(online ? "online" : "offline")); },
    becomes: visibility => { document.visibilityState = visibility; document.dispatchEvent(new Event("visibilitychange")); },
    listeners: () => listeners,
  };
}

/** Timers and their clock, which the test turns. */
export function clock(test) {
  const pending = new Map();
  let now = 0, last = 0;
  test.mock.method(globalThis, "setTimeout", (call, time = 0) => { pending.set(++last, { at: now + time, call }); return last; });
  test.mock.method(globalThis, "clearTimeout", id => { pending.delete(id); });
  test.mock.method(performance, "now", () => now);
  const settle = async () => { for (let n = 0; n < 20; n++) await undefined; };
  return {
    pending: () => pending.size,
    /** Lets time pass, and what becomes due in it happen in order. */
    async passes(time) {
      const end = now + time;
      for (;;) {
        await settle();
        const [id, timer] = [...pending].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
        if (!timer || timer.at > end) break;
        pending.delete(id);
        now = Math.max(now, timer.at);
        timer.call();
      }
      now = end;
    },
  };
}
