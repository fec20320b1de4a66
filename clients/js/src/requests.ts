import type { RequestError, SendError } from "./redispush.js";
import type { Transport } from "./transport.js";

type Data = Record<string, unknown>;

/** As many as the node takes from a connection at a time. */
const mostSends = 8;

/** An answer that takes longer does not come: the node drops what is over its rate without saying which. */
const patience = 30_000;

interface Waiting {
  type: string;
  room: string;
  resolve(data: Data): void;
  reject(error: RequestError): void;
  timer: ReturnType<typeof setTimeout>;
}

/** The SENDs and HISTORYs that have no answer yet. Nothing is sent twice: nobody would know whether it is published twice. */
export class Requests {
  readonly #waiting = new Map<unknown, Waiting>();

  /** @param maxBytes The longest message that the node takes; it would close the connection for a longer one. */
  constructor(readonly maxBytes: number) {}

  /** Sends one request; the promise ends with its answer. */
  send(transport: Transport | undefined, id: number, type: "SEND" | "HISTORY", data: Data & { room: string }): Promise<Data> {
    const { room } = data;
    const message = { type, id, data };
    const problem = this.#problem(transport, message);
    if (problem) return Promise.reject(requestError(type, room, ...problem));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail(id, "no_answer", "The node has not answered.", true), patience);
      this.#waiting.set(id, { type, room, resolve, reject, timer });
      transport!.send!(message);
    });
  }

  /** Whether this is the id of a request without an answer. */
  has(id: unknown): boolean {
    return this.#waiting.has(id);
  }

  succeed(id: unknown, data: Data) {
    this.#take(id)?.resolve(data);
  }

  fail(id: unknown, code: string, message: string, maybeSent: boolean, wait?: number) {
    const waiting = this.#take(id);
    waiting?.reject(requestError(waiting.type, waiting.room, code, message, maybeSent, wait));
  }

  /** The connection has ended. */
  lost() {
    for (const id of [...this.#waiting.keys()]) this.fail(id, "lost", "The connection was lost before the node had answered.", true);
  }

  #take(id: unknown): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  #problem(transport: Transport | undefined, message: { type: string; data: Data }): [code: string, message: string] | undefined {
    if (!transport) return ["not_connected", "The client is not connected."];
    if (!transport.send) return ["not_connected", "Server-sent events carry nothing to the node."];
    if (message.type === "HISTORY") return;
    const sends = [...this.#waiting.values()].filter(({ type }) => type === "SEND").length;
    if (sends >= mostSends) return ["send_limited", `${mostSends} messages wait for their answers already.`];
    let text: string | undefined;
    try {
      text = JSON.stringify(message.data.item) && JSON.stringify(message);
    } catch (error) {
      return ["bad_item", String(error)];
    }
    if (text === undefined) return ["bad_item", "JSON has no such value."];
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > this.maxBytes) return ["bad_item", `The message has ${bytes} bytes; the node takes ${this.maxBytes}.`];
    return;
  }
}

/** An error that names the request; of a SEND it says whether the message may have been published. */
export function requestError(type: string, room: string, code: string, message: string, maybeSent = false, wait?: number): RequestError | SendError {
  const name = type === "SEND" ? "SendError" : "RequestError";
  return Object.assign(new Error(message), { name, room, code }, type === "SEND" && { maybeSent, wait });
}
