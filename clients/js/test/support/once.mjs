// Gets one answer and disconnects: the process must end by itself.
import { WebSocket as Ws } from "ws";
import { RedisPush } from "../../dist/redispush.js";

const [, , url, options] = process.argv;
const client = new RedisPush(url, { WebSocket: globalThis.WebSocket ?? Ws, ...JSON.parse(options) });
const room = client.join("once");
room.on("joined", () => client.disconnect());
