// A number of messages a second, made by the clock: a late timer makes more at once, so that the rate does not drift.

import { phrase } from "./phrases.js";

const Tick = 50;

export class Storm {
  #outbox;
  #rate = 0;
  #since = 0;
  #made = 0;
  #timer = 0;

  constructor(outbox) {
    this.#outbox = outbox;
    // A hidden page's timers are late, and nobody watches.
    document.addEventListener("visibilitychange", () => this.#restart());
  }

  /** Messages a second. */
  get rate() {
    return this.#rate;
  }

  set rate(rate) {
    if (rate === this.#rate)
      return;
    this.#rate = rate;
    this.#restart();
  }

  #restart() {
    clearInterval(this.#timer);
    this.#since = performance.now();
    this.#made = 0;
    if (this.#rate > 0 && !document.hidden)
      this.#timer = setInterval(() => this.#blow(), Tick);
  }

  #blow() {
    const due = Math.floor((performance.now() - this.#since) * this.#rate / 1000);
    // What finds no space is not made: the outbox is full only while the API is slow or the page is not in the room.
    for (let i = Math.min(due - this.#made, this.#outbox.space); i > 0; i--)
      this.#outbox.say(phrase());
    this.#made = due;
  }
}
