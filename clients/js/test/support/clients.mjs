import { WebSocket as Ws } from "ws";
import { RedisPush } from "../../dist/redispush.js";
import { eventually } from "./eventually.mjs";

/** Node 20 has none. */
export const WebSocket = globalThis.WebSocket ?? Ws;

// Tests do not wait as long as people do between attempts, but for an attempt as long as a busy machine takes.
const hasty = { minDelay: 50, maxDelay: 300, connectTimeout: 60_000, WebSocket };

/** A client that writes down what it tells. The test disconnects it at its end. */
export function watched(test, url, options = {}) {
  const client = new RedisPush(url, { ...hasty, ...options });
  const states = [], errors = [], gaps = [], messages = [];
  client.on("state", change => states.push(change));
  client.on("error", failure => errors.push(failure));
  client.on("gap", gap => gaps.push(gap));
  client.on("message", (item, room) => messages.push({ item, room }));
  test.after(() => client.disconnect());
  return { client, states, errors, gaps, messages };
}

export const joined = room => eventually(() => room.state === "joined", `${room.name} is joined`);
