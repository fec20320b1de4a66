// ws.mjs PORT [deflate]: a room over ws, with its own compression (for each connection) on request.
// ws has no rooms; its documentation sends to a set of clients in a loop.
import { WebSocket, WebSocketServer } from "ws";
import { publishingServer } from "./publishing.mjs";

const room = new Set();
const server = publishingServer(message => {
  for (const client of room) {
    if (client.readyState === WebSocket.OPEN) client.send(message, { binary: false });
  }
});

new WebSocketServer({ server, perMessageDeflate: process.argv[3] === "deflate" }).on("connection", client => {
  room.add(client);
  client.on("close", () => room.delete(client));
});
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
