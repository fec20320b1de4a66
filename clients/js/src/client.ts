import { address } from "./address.js";
import { authId } from "./auth.js";
import { Emitter } from "./emitter.js";
import { Link } from "./link.js";
import { settle, type Settings } from "./options.js";
import { isCount, positionOf } from "./position.js";
import type { ClientEvents, Failure, Gap, History, JoinOptions, Options, Position, RedisPush, RoomState } from "./redispush.js";
import { requestError, Requests } from "./requests.js";
import { Room } from "./room.js";

type Data = Record<string, unknown>;

/** How long a one-way connection waits for further rooms before it connects anew for them. */
const roomsSettle = 100;

/** The node has not processed the request, and may process it later. */
const retried = new Set(["too_many_requests", "too_many_joins", "too_many_rooms", "rate_limited"]);

/** The node reads one page of history at a time for a connection; so many requests for one may wait. */
const mostHistories = 32;

/** Takes the messages of one link to its rooms. */
export class Client extends Emitter<ClientEvents> implements RedisPush {
  user: string | undefined;

  readonly #rooms = new Map<string, Room>();
  // Those whose LEAVE has no answer yet.
  readonly #leaving = new Map<string, Room>();
  readonly #requests: Requests;
  readonly #link: Link;
  readonly #settings: Settings;
  // Where to continue rooms that are not joined yet.
  readonly #positions: Map<string, Position>;
  #lastId = 0;
  #reading: Promise<unknown> = Promise.resolve();
  #histories = 0;
  #openedBefore = false;
  // The rooms in the URL of a one-way connection.
  #asked = new Set<string>();

  constructor(url: string, options: Options = {}) {
    super();
    this.#settings = settle(options);
    this.#requests = new Requests(this.#settings.maxMessageBytes);
    this.#positions = new Map(Object.entries(options.positions ?? {}));
    this.#link = new Link(address(url, "websocket", []), this.#settings, {
      changed: change => this.emit("state", change),
      rooms: () => this.#query(),
      opened: () => this.#opened(),
      message: (read, size) => this.#read(read, size),
      lost: () => this.#lost(),
      failed: failure => this.#fail(failure),
    });
  }

  get state() { return this.#link.state; }

  get transport() { return this.#link.transport?.kind; }

  get positions() {
    return Object.fromEntries([...this.#rooms.values()].flatMap(({ name, position }) => position ? [[name, position]] : []));
  }

  connect() { this.#link.start(); }

  disconnect() { this.#link.stop(); }

  authenticate(token?: string) {
    if (token === undefined ? !this.#settings.getToken : typeof token !== "string" || !token)
      throw new TypeError("A token is a string with at least one character; without one, getToken is needed.");
    this.#link.authenticate(token);
  }

  join(name: string, options: JoinOptions = {}): Room {
    if (typeof name !== "string") throw new TypeError("A room's name is a string.");
    let room = this.#rooms.get(name);
    if (!room || room.state === "failed") {
      room ??= new Room(name, { ...options, since: options.since ?? this.#positions.get(name) }, {
        leave: left => this.#leave(left),
        send: async (to, item) => { await this.#requests.send(this.#link.transport, ++this.#lastId, "SEND", { room: to, item }); },
        history: (...values) => this.#history(...values),
        deliver: (to, items, data) => this.#deliver(items, data, to),
        gap: (to, gap) => this.#gap(to, gap),
        asks: () => !!this.#link.transport?.send,
      });
      this.#positions.delete(name);
      room.settle("joining");
      this.#leaving.get(name)?.settle("left"); // A JOIN of a room that the node has not left is answered like any other.
      this.#leaving.delete(name);
      this.#rooms.set(name, room);
      if (this.state === "connected") this.#request(room);
    }
    this.connect();
    return room;
  }

  #leave(room: Room) {
    const { name, state } = room;
    room.settle("left");
    if (this.#rooms.get(name) !== room) return; // Left before, and joined anew since then.
    this.#rooms.delete(name);
    this.#asked.delete(name);
    // A one-way connection goes on to receive the room: to connect anew would cost the other rooms a gap.
    if (state === "failed" || !this.#link.transport?.send) return;
    this.#leaving.set(name, room);
    this.#requestLeave(room);
  }

  #requestLeave(room: Room) {
    room.id = ++this.#lastId;
    this.#link.transport?.send?.({ type: "LEAVE", id: room.id, data: { room: room.name } });
  }

  #lost() {
    for (const room of this.#leaving.values()) room.settle("left");
    this.#leaving.clear();
    for (const room of this.#members("joined", "joining")) room.settle("joining");
    this.#requests.lost();
  }

  #members(...states: RoomState[]): Room[] {
    return [...this.#rooms.values()].filter(room => states.includes(room.state));
  }

  #query() {
    const rooms = this.#members("joined", "joining");
    this.#asked = new Set(rooms.map(room => room.name));
    const query: [string, string][] = rooms.flatMap(({ name, position, last }) => {
      const part: [string, string][] = [["room", name]];
      if (position) part.push(["since", `${position.epoch}.${position.offset}`]);
      if (last) part.push(["last", `${last}`]);
      return part;
    });
    if (rooms.some(room => room.counts)) query.push(["online", "1"]);
    return query;
  }

  #opened() {
    if (this.#openedBefore) this.emit("gap", { missed: null, reason: "reconnected" });
    this.#openedBefore = true;
    for (const room of this.#rooms.values()) this.#request(room);
  }

  #request(room: Room) {
    const { transport } = this.#link;
    if (!transport || room.state !== "joining") return;
    if (transport.send) {
      if (room.id) return;
      room.token = this.#link.token;
      transport.send(room.request(++this.#lastId));
    } else if (!this.#asked.has(room.name)) {
      this.#link.reopen(roomsSettle);
    }
  }

  #read(read: () => unknown, size: number) {
    let message: Data;
    try {
      message = read() as Data;
      if (!isObject(message)) throw new TypeError("The message is not an object.");
      if (message.type === "PUSH" && !Array.isArray((message.data as Data)?.items)) throw new TypeError("The PUSH has no items.");
    } catch (error) {
      this.#fail({ code: "unreadable", message: String(error), final: false });
      const gap = { missed: null, reason: "unreadable" };
      this.emit("gap", gap);
      for (const room of this.#members("joined")) this.#gap(room, gap);
      return;
    }
    const { type, id } = message;
    const data = isObject(message.data) ? message.data : {};
    const room = typeof data.room === "string" ? this.#rooms.get(data.room) : undefined;
    switch (type) {
      case "PUSH": case "GAP":
        if (type === "PUSH") this.#link.proved();
        else delete data.items;
        if (room) room.feed.take(data, size);
        else if (data.room === undefined) this.#roomless(data);
        return;
      case "JOINED": return this.#joined(data, room, id);
      case "LEFT": return this.#left(data, room, id);
      case "SENT": case "HISTORY": return this.#requests.succeed(id, data);
      case "AUTHED": return this.#authed(data);
      case "ERROR": return this.#refused(data, id);
      case "EXPIRING": return this.#link.auth?.expiring(Number(data.in) || 0);
      case "PONG": return this.#link.proved();
    }
  }

  /** A PUSH or GAP of broadcasts or of the user's messages. */
  #roomless(data: Data) {
    const { user, missed, reason } = data, items = data.items as unknown[] | undefined;
    if (items) this.#deliver(items, data);
    else this.emit("gap", { missed: isCount(missed) ? missed : null, reason: String(reason), user: typeof user === "string" ? user : undefined });
  }

  /** Gives items to listeners; returns how many they got before one of them left the room or disconnected. */
  #deliver(items: unknown[], data: Data, room?: Room): number {
    const { transport } = this.#link;
    const goesOn = () => transport === this.#link.transport && (!room || room.state === "joined");
    let taken = 0;
    room?.count(data);
    if (items.length && goesOn()) room?.emit("batch", items);
    for (const item of items) {
      if (!goesOn()) break;
      taken++;
      room?.emit("message", item);
      if (!goesOn()) break;
      if (room || data.user === undefined) this.emit("message", item, room?.name);
      else this.emit("personal", item);
    }
    return taken;
  }

  /** Reads a page of history, after the pages that were asked for before. */
  async #history(room: Room, since: Position | undefined, limit?: number): Promise<History> {
    const { name } = room;
    if (this.#histories >= mostHistories) throw requestError("HISTORY", name, "too_many_waiting", "Too many requests for history wait already.");
    this.#histories++;
    const before = this.#reading;
    const page = this.#reading = (async () => {
      await before.catch(() => {});
      return this.#requests.send(this.#link.transport, ++this.#lastId, "HISTORY", { room: name, since, limit });
    })();
    try {
      const { items, recovered, more, ...end } = await page;
      if (!Array.isArray(items)) throw requestError("HISTORY", name, "unreadable", "The page has no items.");
      return { items, recovered: recovered === true, position: positionOf(end), more: more === true };
    } finally {
      this.#histories--;
    }
  }

  #gap(room: Room, gap: Gap) {
    if (room.state !== "joined") return; // A listener has left it.
    gap = { room: room.name, ...gap };
    room.emit("gap", gap);
    this.emit("gap", gap);
  }

  #joined(data: Data, room: Room | undefined, id: unknown) {
    if (room?.state !== "joining" || !room.asked(id)) return;
    this.#link.proved();
    room.joined(data);
  }

  #left(data: Data, room: Room | undefined, id: unknown) {
    for (const leaving of this.#leaving.values()) {
      if (leaving.id !== id) continue;
      leaving.settle("left");
      this.#leaving.delete(leaving.name);
    }
    // Without having asked: the node has ended the membership.
    if (!room || data.reason === undefined || id !== undefined) return;
    if (room.state !== "joined" && !room.accepted) return;
    room.token = this.#link.token; // LEFT comes before the AUTHED of the token that does not allow the room.
    this.#giveUp(room, String(data.reason), "The node has ended the membership.");
  }

  #authed({ user, expires }: Data) {
    this.#link.proved();
    this.user = typeof user === "string" ? user : undefined;
    this.#link.auth?.accept();
    this.emit("authed", { user: this.user, expires: typeof expires === "number" ? expires : undefined });
    for (const room of this.#members("failed")) {
      if (room.refusal !== "forbidden" || room.token === this.#link.token) continue;
      room.settle("joining");
      this.#request(room);
    }
  }

  #refused(data: Data, id: unknown) {
    const code = String(data.code);
    const message = String(data.message);
    if (id === authId) return this.#link.auth?.refuse(code, message);
    if (this.#requests.has(id)) return this.#requests.fail(id, code, message, code === "not_confirmed", data.wait as number);
    const rooms = this.#members("joining").filter(room => !room.accepted);
    const room = rooms.find(room => room.id === id);
    if (room && code !== "backplane_away" && !retried.has(code)) return this.#giveUp(room, code, message);

    if (room && code === "backplane_away") room.accepted = true;
    // `rate_limited` does not say which requests it means: those without an answer.
    if (retried.has(code)) {
      for (const waiting of room ? [room] : rooms) {
        this.#asked.delete(waiting.name);
        waiting.retryBy(() => this.#request(waiting), this.#settings);
      }
      for (const leaving of this.#leaving.values())
        if (!room && (id === undefined || leaving.id === id)) leaving.retryBy(() => this.#requestLeave(leaving), this.#settings);
      if (id === undefined) this.#link.auth?.limited();
    }
    this.#fail({ code, message, room: room?.name, final: false }, room);
  }

  #giveUp(room: Room, code: string, message: string) {
    room.settle("failed");
    room.refusal = code;
    this.#asked.delete(room.name);
    this.#fail({ code, message, room: room.name, final: true }, room);
  }

  #fail(failure: Failure, room?: Room) {
    const heard = room?.emit("error", failure);
    if (!this.emit("error", failure) && !heard) console.warn("RedisPush:", failure);
  }
}

const isObject = (value: unknown): value is Data => typeof value === "object" && value !== null && !Array.isArray(value);
