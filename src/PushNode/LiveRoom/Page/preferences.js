// What the reader has chosen, or else what the system says: dark or light, flying or a list. The browser keeps it.

export const stored = key => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};

export const store = (key, value) => {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The browser keeps nothing for this page; the choice holds until it is closed.
  }
};

/** A choice of two, which follows the system until the reader chooses. */
class Choice {
  #key;
  #values;
  #system;
  #chosen;
  #listeners = [];

  constructor(key, query, yes, no) {
    [this.#key, this.#values, this.#system] = [key, [yes, no], matchMedia(query)];
    this.#chosen = this.#values.find(value => value === stored(key)) ?? null;
    this.#system.addEventListener("change", () => this.#tell());
  }

  get value() {
    return this.#chosen ?? this.#values[this.#system.matches ? 0 : 1];
  }

  /** Changes to the other value. */
  toggle() {
    this.#chosen = this.#values[this.value === this.#values[0] ? 1 : 0];
    store(this.#key, this.#chosen);
    this.#tell();
  }

  /** Calls the listener now and after each change. */
  follow(listener) {
    this.#listeners.push(listener);
    listener(this.value);
  }

  #tell() {
    for (const listener of this.#listeners)
      listener(this.value);
  }
}

export const theme = new Choice("theme", "(prefers-color-scheme: dark)", "dark", "light");

export const motion = new Choice("motion", "(prefers-reduced-motion: reduce)", "list", "fly");
