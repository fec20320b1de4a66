import { Client } from "./client.js";

/** What a client does now. `connecting` includes the wait for the next attempt. */
export type State = "disconnected" | "connecting" | "connected";

/** What a room is now: `joining` until the node has said JOINED, and again after a lost connection; `failed` until it is joined anew. */
export type RoomState = "joining" | "joined" | "failed" | "left";

/** A place in a room's history, right behind a message. */
export interface Position {
  epoch: string;
  offset: number;
}

export interface Options {
  /** Who the client is and what it may do: sent by AUTH, or as `?token=` with server-sent events. */
  token?: string;
  /** Called for the first token if there is none, and for a new one when the node says that the old one expires or is not accepted. */
  getToken?: () => string | Promise<string>;
  /** What the node sends over WebSocket: JSON in text, or MessagePack in binary messages. Default: `json`. */
  encoding?: "json" | "msgpack";
  /** `auto`, the default: WebSocket, and server-sent events where WebSocket is missing or does not get through. */
  transport?: "auto" | "websocket" | "sse";
  /** In place of the global one, for Node 20 for example: `import { WebSocket } from "ws"`. */
  WebSocket?: WebSocketConstructor;
  /** In place of the global one. */
  fetch?: typeof fetch;
  /** The first wait before a reconnect is random, from 0 to this many milliseconds; the limit doubles with each failure. Default: 1000. */
  minDelay?: number;
  /** What the limit grows to, in milliseconds. Default: 30000. */
  maxDelay?: number;
  /** How long an attempt may take to connect, in milliseconds. Default: 10000. */
  connectTimeout?: number;
  /** After this many milliseconds without a byte from the node, the client asks for a sign of life. Default: 20000. */
  pingInterval?: number;
  /** Without a sign of life in this many milliseconds, the client reconnects. Default: 10000; with server-sent events 20000. */
  pingTimeout?: number;
  /** Where rooms continue that are joined without `since`, each once: `positions` of an earlier client of this page. */
  positions?: Record<string, Position>;
  /** The longest message that the node takes, in bytes: its `Push:Connections:MaxMessageBytes`. Default: 4096. */
  maxMessageBytes?: number;
}

/** The part of WebSocket that the client uses. */
export interface WebSocketConstructor {
  new (url: string, protocols?: string[]): {
    binaryType: string;
    onopen: ((event: any) => void) | null;
    onmessage: ((event: any) => void) | null;
    onclose: ((event: any) => void) | null;
    onerror: ((event: any) => void) | null;
    send(text: string): void;
    close(code?: number): void;
    terminate?(): void;
  };
}

export interface JoinOptions {
  /** Continue after this position, if the node still has what followed it. */
  since?: Position;
  /** Begin with the last messages, at most this many; with `since`, if the room cannot continue there. */
  last?: number;
  /** Hold messages back at a gap, and read what is missing from the node's history. What has come back is not told as a gap. */
  heal?: boolean;
  /** Ask how many are online in the room, now and when it changes. */
  online?: boolean;
}

export interface StateChange {
  state: State;
  previous: State;
  /** The close code of the connection that ended; 1006 if it broke. */
  code?: number;
  /** Why it ended. */
  reason?: string;
  /** Milliseconds until the next attempt. */
  retryIn?: number;
}

/** Messages are missing at this point. */
export interface Gap {
  /** Undefined: what comes without a room is missing, broadcasts and messages to the user. */
  room?: string;
  /** Only messages to this user are missing. */
  user?: string;
  /** How many; null if nobody knows, and 0 is possible. */
  missed: number | null;
  /**
   * `reconnected`: the connection was away. `hole`: positions say so. `unreadable`: a message could not be decoded. Otherwise the node's word,
   * such as `slow`.
   */
  reason: string;
  /** The position before the first missing message, where known. */
  from?: Position;
  /** The position of the last missing message, where known: the room goes on after it. */
  to?: Position;
}

/** A page of a room's history. */
export interface History {
  /** Oldest first. */
  items: any[];
  /** Nothing is missing between `since` and them. Otherwise they begin with the oldest message that is kept. */
  recovered: boolean;
  /** The position of the last item: the `since` of the next page. */
  position: Position | undefined;
  /** There are more. */
  more: boolean;
}

/** What a promise of `history` is rejected with. */
export interface RequestError extends Error {
  /**
   * The node's code: `not_joined`, `no_history`, `history_away`, and others to come.
   * Or the client's own: `not_connected`, `lost`, `no_answer`, `too_many_waiting`, `unreadable`.
   */
  code: string;
  room: string;
}

/** What a promise of `send` is rejected with. */
export interface SendError extends RequestError {
  /**
   * The node's code: `forbidden`, `muted`, `slow_mode`, `send_limited`, `not_sent`, `not_confirmed`, `bad_item`, and others to come.
   * Or the client's own: `not_connected`, `lost`, `no_answer`.
   */
  code: string;
  /** Nobody knows whether the message was published: after `lost`, `no_answer` and `not_confirmed`. */
  maybeSent: boolean;
  /** Milliseconds after which the node may take another one, where it says so. */
  wait?: number;
}

/** Something was not carried out. The client goes on by itself unless `final`. */
export interface Failure {
  /** The node's code, such as `room_limit`, or the client's own: `closed`, `token`, `unreadable`. */
  code: string;
  message: string;
  room?: string;
  /** The room, or without `room` the client, has given up. */
  final: boolean;
}

export interface Joined {
  /** Not for the first time. */
  again: boolean;
  /** Nothing is missing since the position from which the room continued: what was missed follows. */
  recovered: boolean;
}

/** Who the client is, by the node's word. */
export interface Authed {
  /** Undefined if the token names none. */
  user?: string;
  /** When the token expires, in seconds since 1970. */
  expires?: number;
}

export interface ClientEvents {
  state: [change: StateChange];
  /** The node has accepted the token. */
  authed: [authed: Authed];
  /** A message of a room, or a broadcast, which has no room. */
  message: [item: any, room: string | undefined];
  /** A message to the user, on all of the user's connections. */
  personal: [item: any];
  gap: [gap: Gap];
  error: [failure: Failure];
}

export interface RoomEvents {
  message: [item: any];
  /** The messages of one frame, in order; comes before their `message` events. */
  batch: [items: any[]];
  gap: [gap: Gap];
  joined: [joined: Joined];
  /** How many are online; comes after `joined`, and when it has changed, if it was asked for. */
  online: [count: number];
  error: [failure: Failure];
}

/** One room that the client has joined or joins. */
export interface Room {
  readonly name: string;
  readonly state: RoomState;
  /** The position of the last message; undefined unless the node keeps history of the room. */
  readonly position: Position | undefined;
  /** How many are online, as last heard; undefined unless it was asked for. */
  readonly online: number | undefined;
  /** Calls a function on each such event; the result ends that. */
  on<K extends keyof RoomEvents>(event: K, listener: (...values: RoomEvents[K]) => void): () => void;
  /** Publishes an item as the user. The node has published it when the promise resolves; it is rejected with a `SendError`. */
  send(item: unknown): Promise<void>;
  /**
   * Reads a page of the room's history: what followed `since`, by default `position`, oldest first. The room must be joined. Rejected with a
   * `RequestError`.
   */
  history(options?: { since?: Position; limit?: number }): Promise<History>;
  /** Ends the membership; no event follows. */
  leave(): void;
}

/** A client that keeps one connection and its rooms until it is told to end. */
export interface RedisPush {
  readonly state: State;
  /** What carries the connection; undefined unless connected. */
  readonly transport: "websocket" | "sse" | undefined;
  /** Whom the node has last taken the client for; undefined if the token names none, and with server-sent events. */
  readonly user: string | undefined;
  /** Where the rooms of this client are, by name: what `options.positions` takes. Only rooms with history have positions. */
  readonly positions: Record<string, Position>;
  /** Calls a function on each such event; the result ends that. */
  on<K extends keyof ClientEvents>(event: K, listener: (...values: ClientEvents[K]) => void): () => void;
  /** The room, which is joined if it is not yet. Connects if necessary. */
  join(room: string, options?: JoinOptions): Room;
  /** Connects, if that is not under way. Needed only without a `join`, to get broadcasts, and after `disconnect` or a final error. */
  connect(): void;
  /** Ends the connection. The rooms stay: a later `connect` joins them again. */
  disconnect(): void;
  /** Uses another token from now on, in place where that is possible: after a log-in for example. Without one, asks `getToken`. */
  authenticate(token?: string): void;
}

/**
 * @param url The node's `/ws`: `ws://localhost:7777/ws`. In a page it may be relative, `/ws` for example.
 */
export const RedisPush: new (url: string, options?: Options) => RedisPush = Client;
