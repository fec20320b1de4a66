import { positionOf } from "./position.js";
import type { Options, WebSocketConstructor } from "./redispush.js";

/** The options with their defaults. */
export interface Settings extends Options {
  kinds: ("websocket" | "sse")[];
  encoding: "json" | "msgpack";
  minDelay: number;
  maxDelay: number;
  connectTimeout: number;
  pingInterval: number;
  maxMessageBytes: number;
}

const choices = { encoding: ["json", "msgpack"], transport: ["auto", "websocket", "sse"] };
const times = { minDelay: 1000, maxDelay: 30_000, connectTimeout: 10_000, pingInterval: 20_000 };

/** Throws if an option is not usable, which is better than a client that never connects. */
export function settle(options: Options): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
  const settings = {
    encoding: "json", transport: "auto", maxMessageBytes: 4096, ...times,
    WebSocket: globalThis.WebSocket as WebSocketConstructor | undefined,
    fetch: globalThis.fetch?.bind(globalThis) as typeof fetch | undefined,
    ...given,
  } as Settings;
  for (const [name, values] of Object.entries(choices)) {
    const value = settings[name as keyof Options];
    if (!values.includes(value as string)) throw new TypeError(`${name} is ${values.join(" or ")}, not ${value}.`);
  }
  for (const name of [...Object.keys(times), "pingTimeout"] as (keyof typeof times)[]) {
    const value = settings[name];
    // A timer takes no more than 2^31 milliseconds.
    if (value !== undefined && !(value > 0 && value < 2 ** 31))
      throw new TypeError(`${name} is a positive number of milliseconds, not ${value}.`);
  }
  const { transport, WebSocket, fetch, maxMessageBytes, positions } = settings;
  for (const [name, position] of Object.entries(positions ?? {}))
    if (!positionOf(position)) throw new TypeError(`positions has no position of ${name}.`);
  if (!(maxMessageBytes > 0)) throw new TypeError(`maxMessageBytes is a positive number, not ${maxMessageBytes}.`);
  settings.kinds = [];
  if (WebSocket && transport !== "sse") settings.kinds.push("websocket");
  if (fetch && transport !== "websocket") settings.kinds.push("sse");
  if (!settings.kinds.length) throw new TypeError("There is no WebSocket here: pass one as an option, from npm's ws for example.");
  return settings;
}
