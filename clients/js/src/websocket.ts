import { decode } from "./msgpack.js";
import type { WebSocketConstructor } from "./redispush.js";
import type { Transport, TransportEvents } from "./transport.js";

export function openWebSocket(
  url: string, WebSocket: WebSocketConstructor, encoding: "json" | "msgpack", events: TransportEvents,
): Transport {
  const socket = encoding === "msgpack" ? new WebSocket(url, ["push.msgpack", "push.json"]) : new WebSocket(url);
  socket.binaryType = "arraybuffer";
  let opened = false;
  socket.onopen = () => {
    opened = true;
    events.opened();
  };
  socket.onmessage = ({ data }) => {
    events.heard();
    events.message(() => typeof data === "string" ? JSON.parse(data) : decode(new Uint8Array(data)), data.length ?? data.byteLength);
  };
  // In Node 22 no `close` follows if the connection was refused. Without a listener, npm's ws would throw.
  socket.onerror = ({ message, error }) => {
    if (!opened) events.closed({ code: 1006, reason: message || error?.message || "No connection.", clean: false });
  };
  socket.onclose = ({ code, reason, wasClean }) => events.closed({ code, reason: String(reason), clean: wasClean });
  return {
    kind: "websocket",
    send: message => socket.send(JSON.stringify(message)),
    // npm's ws would wait 30 s for a dead node's close frame.
    close: dead => dead && socket.terminate ? socket.terminate() : socket.close(1000),
  };
}
