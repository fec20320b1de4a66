// A client without a network: a clock that the test turns, and sockets that do what the test says.
import { RedisPush } from "../../dist/redispush.js";
import { clock, fakeWebSocket } from "./fakes.mjs";

/** A client with fake sockets; the middle of each random range is taken unless the test says otherwise. */
export function start(t, options = {}, made = () => {}, random = 0.5) {
  const time = clock(t), sockets = [], states = [], errors = [], gaps = [];
  t.mock.method(Math, "random", () => random);
  const WebSocket = fakeWebSocket(socket => { sockets.push(socket); made(socket, sockets.length - 1); });
  const client = new RedisPush("wss://example.org/ws", { WebSocket, transport: "websocket", ...options });
  client.on("state", change => states.push(change));
  client.on("error", failure => errors.push(failure));
  client.on("gap", gap => gaps.push(gap));
  t.after(() => client.disconnect());
  return { client, time, sockets, states, errors, gaps, waits: () => states.filter(({ retryIn }) => retryIn !== undefined).map(({ retryIn }) => retryIn) };
}

export const answerJoin = socket => {
  socket.received = ({ type, id, data }) => {
    if (type === "JOIN") socket.tell("JOINED", { room: data.room }, { id });
    else socket.tell("PONG", {});
  };
};

/** What a node does with a token; `verdict(token, n)` gives AUTHED's data, or a code. JOINs are answered. */
export const answerAuth = (socket, verdict) => {
  let count = 0;
  socket.received = ({ type, id, data }) => {
    if (type === "JOIN") socket.tell("JOINED", { room: data.room }, { id });
    if (type === "PING") socket.tell("PONG", {});
    if (type !== "AUTH") return;
    const said = verdict(data.token, count++);
    if (typeof said === "string") socket.tell("ERROR", { code: said, message: `It is ${said}.` }, { id });
    else if (said) socket.tell("AUTHED", said, { id });
  };
};

/** The tokens that were presented over a socket, in their order. */
export const tokensOf = socket => socket.sent.filter(({ type }) => type === "AUTH").map(({ data }) => data.token);
