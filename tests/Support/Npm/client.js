// A WebSocket client of npm's ws and @msgpack/msgpack.
//   node client.js <url> <deflate: true or false> <subprotocols, comma-separated>
// Each line of standard input is sent: {"text": "..."}, {"value": any} as MessagePack, or {"hex": "..."} as binary bytes.
// Each line of standard output has what happened: {"opened": subprotocol, "extensions": "..."}, {"message": any, "binary": boolean, "bytes": n}
// or {"closed": code, "reason": "..."}.
import { createInterface } from "node:readline";
import { decode, encode } from "@msgpack/msgpack";
import { WebSocket } from "ws";

const [url, deflate, protocols] = process.argv.slice(2);
const tell = (what) => console.log(JSON.stringify(what));
const socket = new WebSocket(url, protocols ? protocols.split(",") : [], {
  perMessageDeflate: deflate === "true" && { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 },
});

socket.on("message", (data, binary) => tell({ message: binary ? decode(data) : JSON.parse(data.toString()), binary, bytes: data.length }));
socket.on("close", (code, reason) => { tell({ closed: code, reason: reason.toString() }); process.exit(); });
socket.on("error", (error) => tell({ failed: error.message }));
socket.on("open", async () => {
  tell({ opened: socket.protocol, extensions: socket.extensions });
  for await (const line of createInterface({ input: process.stdin })) {
    const { text, value, hex } = JSON.parse(line);
    if (text !== undefined) socket.send(text);
    else socket.send(hex !== undefined ? Buffer.from(hex, "hex") : encode(value), { binary: true });
  }
  socket.close();
});
