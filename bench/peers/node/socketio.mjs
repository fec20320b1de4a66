// socketio.mjs PORT: a room over Socket.IO, WebSocket only.
import { Server } from "socket.io";
import { publishingServer } from "./publishing.mjs";

const server = publishingServer(message => io.to("bench").emit("message", JSON.parse(message)));
const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });

// Its documentation on memory recommends this: the handshake's request is no longer needed.
io.engine.on("connection", socket => { socket.request = null; });
io.on("connection", socket => { socket.join("bench"); });
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
