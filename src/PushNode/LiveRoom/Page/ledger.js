// What this page has published in one room, and what of it has come back. Each request's messages carry a name that nobody can guess, which is
// also the request's Idempotency-Key, and are numbered. A room keeps their order, so a message that has not come when a later one comes is missed.

import { Histogram } from "./meters.js";

// What has not come after this time counts as missed, until it comes after all.
const Patience = 15_000;
const MaxRequests = 1024;
const MaxRemembered = 256;

/** One request's messages. */
class Request {
  name = Array.from(crypto.getRandomValues(new Uint8Array(6)), byte => byte.toString(16).padStart(2, "0")).join("");
  arrived = 0;
  last = -1;
  isAccepted = false;
  isDoubtful = false;
  isGivenUp = false;

  /**
   * @param {{ text: string, isTyped: boolean }[]} messages
   * @param {number} first How many messages the page has given to the API before.
   * @param {number} at When the request began.
   */
  constructor(messages, first, at) {
    Object.assign(this, { first, at, count: messages.length });
    this.typed = new Set([...messages.keys()].filter(n => messages[n].isTyped));
  }

  /** The items to publish. */
  items(messages) {
    return messages.map(({ text }, n) => ({ text, from: this.name, n }));
  }
}

export class Ledger {
  /** From the beginning of the request to the arrival here, on one clock. */
  latency = new Histogram();

  sent = 0;        // accepted by the API, or unconfirmed
  received = 0;    // came back
  missed = 0;      // accepted, and will not come
  unconfirmed = 0; // the API could not say whether they were published, and they have not come
  repeated = 0;    // came twice

  #requests = new Map();     // those of which something may still come, in their order
  #remembered = new Set();   // the names of those that came
  #given = 0;

  /** What is on its way: accepted, neither here nor missed. */
  get onTheWay() {
    return Math.max(0, this.sent - this.received - this.missed - this.unconfirmed);
  }

  /** How many messages were given to the API. */
  get given() {
    return this.#given;
  }

  /** Whether each of the first messages has come, or will not. */
  isSettled(given) {
    for (const request of this.#requests.values()) {
      if (!request.isGivenUp)
        return request.first >= given;
    }
    return true;
  }

  /** Names and numbers the messages of a request that begins now. */
  begin(messages, now) {
    const request = new Request(messages, this.#given, now);
    this.#given += request.count;
    this.#requests.set(request.name, request);
    return request;
  }

  /** The API has published the messages. */
  accept(request) {
    request.isAccepted = true;
    this.sent += request.count;
    this.#dropComplete(request);
  }

  /** None of the messages was published. */
  refuse(request) {
    this.#requests.delete(request.name);
  }

  /** Nobody knows whether the messages were published. */
  doubt(request) {
    request.isDoubtful = true;
    this.accept(request);
  }

  /**
   * Looks whether an item is one of the page's own.
   * @returns {boolean} Whether it is one that the reader typed.
   */
  arrive(item, now) {
    const request = this.#requests.get(item?.from);
    if (request === undefined || !Number.isInteger(item.n) || item.n >= request.count || item.n <= request.last) {
      if (request !== undefined || this.#remembered.has(item?.from))
        this.repeated++;
      return false;
    }
    this.#giveUpBefore(request);
    if (request.isGivenUp)
      this[request.isDoubtful ? "unconfirmed" : "missed"]--;
    request.last = item.n;
    request.arrived++;
    this.received++;
    this.latency.add(now - request.at);
    this.#dropComplete(request);
    return request.typed.has(item.n);
  }

  /** Gives up what is late. Called from time to time. */
  tick(now) {
    for (const request of this.#requests.values()) {
      if (request.isAccepted && now - request.at > Patience)
        this.#giveUp(request);
      if (this.#requests.size > MaxRequests)
        this.#requests.delete(request.name);
    }
  }

  /** What comes before this cannot come any more. */
  #giveUpBefore(request) {
    for (const earlier of this.#requests.values()) {
      if (earlier === request)
        return;
      this.#giveUp(earlier);
      this.#requests.delete(earlier.name);
    }
  }

  #dropComplete(request) {
    if (!request.isAccepted || request.arrived < request.count)
      return;
    this.#requests.delete(request.name);
    this.#remember(request);
  }

  #giveUp(request) {
    if (request.isGivenUp)
      return;
    request.isGivenUp = true;
    const rest = request.count - request.arrived;
    if (request.isDoubtful)
      this.unconfirmed += rest;
    else if (request.isAccepted)
      this.missed += rest;
  }

  #remember(request) {
    this.#remembered.add(request.name);
    for (const oldest of this.#remembered) {
      if (this.#remembered.size <= MaxRemembered)
        return;
      this.#remembered.delete(oldest);
    }
  }
}
