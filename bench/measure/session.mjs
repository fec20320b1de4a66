import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ChildProcess, answers200, freePort, listens, until } from "./processes.mjs";

const startTime = 30;
const connectTime = 120;

/** A running server and its clients. */
export class Session {
  #artifacts;
  #entry;
  #port;

  /** The server's second port, if it has one. */
  management;

  static async start(entry, artifacts) {
    const session = new Session();
    session.#artifacts = artifacts;
    session.#entry = entry;
    session.#port = await freePort();
    session.management = await freePort();
    const { command, args, ...rest } = entry.command(session.#port, session.management);
    session.server = new ChildProcess(command, args, rest);
    const isReady = entry.ready ? () => answers200(entry.ready(session.#port, session.management)) : () => listens(session.#port);
    try {
      const late = () => `the server was not ready after ${startTime} s: ${session.server.lastWords}`;
      await until(() => session.server.hasEnded || isReady(), startTime, late);
      if (session.server.hasEnded) throw new Error(session.server.lastWords);
    } catch (error) {
      await session.stop();
      throw error;
    }
    session.publisher = entry.publisher(session.#port, session.server);
    return session;
  }

  /** The address for clients that name their rooms themselves. */
  get url() {
    return `ws://127.0.0.1:${this.#port}/ws`;
  }

  /** Opens connections as fast as the server accepts them. */
  async connect(connections) {
    const args = [this.#port, this.#entry.path, connections, ...this.#entry.client];
    const clients = new Clients(join(this.#artifacts, "client"), args, connections);
    this.clients = clients;
    const tooLate = delay(connectTime * 1000, undefined, { ref: false }).then(() => {
      throw new Error(`${connections} connections were not ready after ${connectTime} s`);
    });
    return { clients, ...await Promise.race([clients.ready(), tooLate]) };
  }

  async stop() {
    this.publisher?.close();
    await this.clients?.stop();
    await this.server.stop();
  }
}

/** The C client (bench/client), asked one question at a time. */
class Clients {
  #process;

  constructor(command, args, count) {
    this.count = count;
    this.#process = new ChildProcess(command, args.map(String));
  }

  async ready() {
    const { nanoseconds } = JSON.parse(await this.#process.readLine());
    return { seconds: nanoseconds / 1e9 };
  }

  /** Frames, bytes, messages, closed connections and the program's own CPU seconds so far. */
  async counts() {
    this.#process.write("stat");
    return JSON.parse(await this.#process.readLine());
  }

  /** When the message with this index (counted per connection) reached the first and the last connection, in seconds of the monotonic clock. */
  async arrival(index) {
    this.#process.write(`arrival ${index}`);
    const { count, first, last } = JSON.parse(await this.#process.readLine());
    return { count, first: first / 1e9, last: last / 1e9 };
  }

  /** Waits until this many messages have arrived in all, or for this long. */
  async whenReceived(messages, seconds) {
    const deadline = now() + seconds;
    while ((await this.counts()).messages < messages && now() < deadline) await delay(50);
  }

  async stop() {
    await this.#process.stop();
  }
}

/** The monotonic clock, the same as the clients', in seconds. */
export const now = () => Number(process.hrtime.bigint()) / 1e9;
