import { Agent, request } from "node:http";
import { createConnection } from "node:net";

/** Publishes with Redis PUBLISH over one connection, without waiting for replies. */
export class RedisPublisher {
  #socket;
  #head;

  constructor(port, channel) {
    this.#socket = createConnection(port, "127.0.0.1").setNoDelay(true);
    this.#socket.on("error", () => {}); // shows as messages that do not arrive
    this.#socket.resume();
    this.#head = `*3\r\n$7\r\nPUBLISH\r\n$${channel.length}\r\n${channel}\r\n`;
  }

  /** Publishes this many messages of this many bytes. */
  publish(count, bytes) {
    const command = `${this.#head}$${bytes}\r\n${message(bytes)}\r\n`;
    this.#socket.write(command.repeat(count));
  }

  close() {
    this.#socket.destroy();
  }
}

/** Publishes with one POST per message over persistent connections. */
export class HttpPublisher {
  #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  #port;
  #path;

  constructor(port, path) {
    this.#port = port;
    this.#path = path;
  }

  publish(count, bytes) {
    const body = message(bytes);
    for (let i = 0; i < count; i++) {
      const post = request({
        agent: this.#agent,
        host: "127.0.0.1",
        port: this.#port,
        path: this.#path,
        method: "POST",
        headers: { "Content-Type": "application/json", "Content-Length": bytes },
      }, response => response.resume());
      post.on("error", () => {}); // shows as messages that do not arrive
      post.end(body);
    }
  }

  close() {
    this.#agent.destroy();
  }
}

/** Makes the floor send one frame with all the messages, as a server that merges does. */
export class FloorPublisher {
  #process;

  constructor(process) {
    this.#process = process;
  }

  publish(count, bytes) {
    this.#process.write(`push ${count} ${bytes}`);
  }

  close() {
  }
}

/** A JSON object of this many bytes, with the one mark that the client counts. */
function message(bytes) {
  const frame = '{"text":"^"}';
  return `${frame.slice(0, -2)}${"x".repeat(bytes - frame.length)}"}`;
}
