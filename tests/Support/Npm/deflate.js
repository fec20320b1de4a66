// A client of npm's ws: joins by its URL, sends a long PING, and ends after the first PUSH. Prints what it gets, a line each.
//   node deflate.js URL OPTIONS       options of new WebSocket as JSON
import { WebSocket } from "ws";

const [url, options] = process.argv.slice(2);
const socket = new WebSocket(url, JSON.parse(options));
socket.on("upgrade", answer => console.log("extension", answer.headers["sec-websocket-extensions"] ?? "none"));
socket.on("open", () => socket.send(JSON.stringify({ type: "PING", id: "long", pad: "x".repeat(2000) })));
socket.on("message", text => {
  const { type, data, id } = JSON.parse(text);
  console.log(type, id ?? "", data.items?.[0] ?? "");
  if (type === "PUSH") socket.close(1000);
});
socket.on("error", error => console.log("error", error.message));
socket.on("close", code => console.log("closed", code));
