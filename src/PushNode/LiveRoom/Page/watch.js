// The page's connection to the node, through the JavaScript client, and what comes over it.

import { RedisPush } from "./redispush.js";

export class Watch {
  #client;
  #room = null;
  #listeners;
  #lostAt = 0;
  #gaps = 0;
  #broadcasts = [];

  /** Whether the node has confirmed the room. */
  isJoined = false;

  /** How long the page was away when it lost its connection last, in milliseconds. */
  lastAway = 0;

  /**
   * @param {string} url The node's WebSocket.
   * @param {object} listeners frame(text, socket), batch(items), joined(), gap({ missed, reason }), state(change),
   * back(milliseconds, recovered), online(count), authed(), problem(sentence).
   * @param {object} tokens token and getToken, or neither.
   */
  constructor(url, listeners, tokens) {
    this.#listeners = listeners;
    this.#client = new RedisPush(url, { transport: "websocket", WebSocket: counted(listeners.frame), ...tokens });
    this.#client.on("state", change => this.#onState(change));
    this.#client.on("message", (item, room) => {
      if (room === undefined)
        this.#collect(item);
    });
    this.#client.on("gap", gap => {
      // Of a reconnect, the room's own gap is enough.
      if (gap.room === undefined && gap.reason !== "reconnected")
        listeners.gap(gap);
    });
    this.#client.on("authed", () => listeners.authed());
    this.#client.on("error", ({ message }) => listeners.problem(message));
  }

  /** Where the page is in the room: its position, if the room has history, and how many gaps there were. */
  get place() {
    return { position: this.#room.position, gaps: this.#gaps };
  }

  /** Under which name the page can send; undefined if under none. */
  get user() {
    return this.#client.user;
  }

  /** Goes on with another token; that of another name takes a new connection. */
  authenticate(token) {
    this.#client.authenticate(token);
  }

  /** Sends an item to the room over the WebSocket. */
  send(item) {
    return this.#room.send(item);
  }

  /** Leaves the room, if there is one, and joins another. */
  join(name) {
    this.#room?.leave();
    this.isJoined = false;
    const room = this.#room = this.#client.join(name, { online: true, heal: true });
    this.#gaps = 0;
    const on = (event, act) => room.on(event, value => {
      if (this.#room === room)
        act(value);
    });
    on("joined", ({ recovered }) => this.#onJoined(recovered));
    on("batch", items => this.#listeners.batch(items));
    on("gap", gap => {
      this.#gaps++;
      this.#listeners.gap(gap);
    });
    on("online", count => this.#listeners.online(count));
    on("error", ({ message }) => this.#listeners.problem(message));
  }

  /** Broadcasts come one by one; those of a frame come together. */
  #collect(item) {
    if (this.#broadcasts.push(item) === 1)
      queueMicrotask(() => this.#listeners.batch(this.#broadcasts.splice(0)));
  }

  #onJoined(recovered) {
    this.isJoined = true;
    if (this.#lostAt > 0)
      this.#listeners.back(this.lastAway = performance.now() - this.#lostAt, recovered);
    this.#lostAt = 0;
    this.#listeners.joined();
  }

  #onState(change) {
    if (change.previous === "connected") {
      this.isJoined = false;
      this.#lostAt = performance.now();
    }
    this.#listeners.state(change);
  }
}

/** A WebSocket whose messages are also given to a listener, as they come over the connection. */
function counted(listener) {
  return class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      this.addEventListener("message", event => listener(event.data, this));
    }
  };
}
