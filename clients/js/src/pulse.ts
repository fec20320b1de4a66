/** Watches one connection for signs of life: asks for one after a silence, and reports the connection dead if none comes in time. */
export class Pulse {
  #heard = performance.now();
  #asked = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly interval: number, readonly timeout: number, readonly ask: () => void, readonly dead: () => void) {
    this.#wait(interval);
  }

  heard() {
    this.#heard = performance.now();
    if (!this.#asked) return; // The timer that runs looks at the time: no new one for each message.
    this.#asked = false;
    this.#wait(this.interval);
  }

  /** Asks now: the network or the page's visibility has changed. */
  check() {
    if (this.#asked) return;
    this.#asked = true;
    this.#arm(this.timeout, this.dead);
    this.ask();
  }

  stop() {
    clearTimeout(this.#timer);
  }

  #wait(time: number) {
    this.#arm(time, () => {
      const left = this.#heard + this.interval - performance.now();
      if (left > 0) this.#wait(left);
      else this.check();
    });
  }

  #arm(time: number, then: () => void) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, time);
  }
}
