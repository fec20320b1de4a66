import { backOff } from "./backoff.js";
import { Emitter } from "./emitter.js";
import { Feed, type FeedOwner } from "./feed.js";
import type { Settings } from "./options.js";
import { positionOf } from "./position.js";
import type { History, JoinOptions, Position, Room as PublicRoom, RoomEvents, RoomState } from "./redispush.js";

/** As many as the node gives in one page. */
const mostItems = 1000;

/** What a room leaves to its client. */
export interface RoomOwner {
  leave(room: Room): void;
  send(room: string, item: unknown): Promise<void>;
  history(room: Room, since: Position | undefined, limit?: number): Promise<History>;
  /** Gives items to listeners; returns how many they got before one of them ended that. */
  deliver(room: Room, ...values: Parameters<FeedOwner["deliver"]>): number;
  gap(room: Room, ...values: Parameters<FeedOwner["tell"]>): void;
  /** Whether the connection can carry a request. */
  asks(): boolean;
}

/** One membership, from `join` to `leave`, over any number of connections. */
export class Room extends Emitter<RoomEvents> implements PublicRoom {
  state: RoomState = "joining";
  readonly feed: Feed;
  /** The id of the JOIN that has no answer yet; 0 if there is none. */
  id = 0;
  /** The node has accepted the JOIN, and answers it when Redis is back. */
  accepted = false;
  online: number | undefined;
  /** Whether to ask for it. */
  readonly counts: boolean | undefined;
  /** Why the node has refused it, or ended the membership. */
  refusal: string | undefined;
  /** The token with which it was joined, or refused. */
  token: string | undefined;

  #firstId = 0;
  readonly #last: number | undefined;
  #joinedBefore = false;
  #retries = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  readonly #owner: RoomOwner;

  constructor(readonly name: string, { since, last, online, heal }: JoinOptions, owner: RoomOwner) {
    super();
    const position = positionOf(since);
    if (since && !position) throw new TypeError("A position is an epoch and an offset, as the node gives them.");
    this.feed = new Feed(position, {
      joined: () => this.state === "joined",
      deliver: (...values) => owner.deliver(this, ...values),
      tell: gap => owner.gap(this, gap),
      reader: () => heal && owner.asks() ? after => owner.history(this, after, mostItems) : undefined,
    });
    this.#last = last;
    this.counts = online || undefined;
    this.#owner = owner;
  }

  get position() { return this.feed.position; }

  leave() {
    this.#owner.leave(this);
  }

  send(item: unknown): Promise<void> {
    return this.#owner.send(this.name, item);
  }

  history({ since = this.position, limit }: { since?: Position; limit?: number } = {}): Promise<History> {
    return this.#owner.history(this, since, limit);
  }

  /** How many of the last messages to ask for. Only once: after that they might come twice. */
  get last() { return this.#joinedBefore ? undefined : this.#last; }

  /** A JOIN. */
  request(id: number): object {
    this.id = id;
    this.#firstId ||= id;
    return { type: "JOIN", id, data: { room: this.name, since: this.position, last: this.last, online: this.counts } };
  }

  /** Whether an answer with this id is one to this membership. An earlier one of the same room had lower ids. */
  asked(id: unknown): boolean {
    return typeof id !== "number" || id >= this.#firstId;
  }

  /** Notes JOINED. What may be missing since the last connection or `since` is told. */
  joined(data: Record<string, unknown>) {
    const again = this.#joinedBefore;
    const continues = again || !!this.position;
    this.#joinedBefore = true;
    this.settle("joined");
    this.#retries = 0;
    this.feed.join(data, continues, recovered => {
      this.emit("joined", { again, recovered });
      this.count(data);
    });
  }

  /** Notes how many are online, if the node says so. */
  count({ online }: Record<string, unknown>) {
    if (typeof online !== "number" || this.state !== "joined") return;
    this.online = online;
    this.emit("online", online);
  }

  /** Asks again after a while, unless that is planned already. */
  retryBy(ask: () => void, { minDelay, maxDelay }: Settings) {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.id = 0;
      ask();
    }, minDelay + backOff(this.#retries++, minDelay, maxDelay));
  }

  /** Enters a state in which nothing is under way yet. */
  settle(state: RoomState) {
    this.state = state;
    this.id = 0;
    this.accepted = false;
    this.refusal = undefined;
    this.feed.end();
    clearTimeout(this.#retry);
    this.#retry = undefined;
  }
}
