// Asks the node again and again, but only while somebody looks.

/**
 * Calls an asynchronous function at once and then after each pause, one call at a time. Stops while the tab is hidden or the condition does not
 * hold, and continues at once when both do.
 */
export class Poll {
  constructor(pause, ask, isWanted = () => true) {
    Object.assign(this, { pause, ask, isWanted, timer: undefined, isAsking: false });
    document.addEventListener('visibilitychange', () => this.now());
  }

  /** Asks now, if somebody looks, and goes on from there. */
  async now() {
    clearTimeout(this.timer);
    if (document.hidden || this.isAsking || !this.isWanted()) return;
    this.isAsking = true;
    try {
      await this.ask();
    } finally {
      this.isAsking = false;
      this.timer = setTimeout(() => this.now(), this.pause);
    }
  }
}

/** The JSON of a path. Throws what the node says if that is an error, and if it does not answer in time. */
export async function getJson(path) {
  const answer = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(5000) });
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  throw new Refusal(answer.headers.get('Content-Type')?.startsWith('application/json') ? JSON.parse(text).error : text);
}

/** The node has answered that it does not. */
export class Refusal extends Error {}
