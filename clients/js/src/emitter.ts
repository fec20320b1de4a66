/** Calls listeners. One that throws is reported, and the others are called all the same. */
export class Emitter<Events extends { [K in keyof Events]: unknown[] }> {
  readonly #listeners = new Map<keyof Events, Set<{ call: (...values: any[]) => void }>>();

  on<K extends keyof Events>(event: K, listener: (...values: Events[K]) => void): () => void {
    if (typeof listener !== "function") throw new TypeError("The listener is not a function.");
    const entry = { call: listener };
    const entries = this.#listeners.get(event);
    if (entries) entries.add(entry);
    else this.#listeners.set(event, new Set([entry]));
    return () => { this.#listeners.get(event)?.delete(entry); };
  }

  /** Returns whether there was a listener. */
  emit<K extends keyof Events>(event: K, ...values: Events[K]): boolean {
    const entries = this.#listeners.get(event);
    if (!entries?.size) return false;
    for (const entry of [...entries]) {
      if (!entries.has(entry)) continue; // Removed by a listener before it.
      try {
        entry.call(...values);
      } catch (error) {
        report(error);
      }
    }
    return true;
  }
}

function report(error: unknown) {
  if (typeof reportError === "function") reportError(error);
  else console.error(error);
}
