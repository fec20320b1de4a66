// The reader's name. The farm gives a token for any name, so the comments of a name come from anyone who has chosen it.

import { store, stored } from "./preferences.js";

const Key = "name";
const AnswerTime = 5000;

export class Guest {
  /** The name that is chosen; the node's word for it is `user` of the connection. */
  name = stored(Key) ?? `guest-${1000 + Math.floor(Math.random() * 9000)}`;

  #api;

  constructor(api) {
    this.#api = api;
  }

  /** A token for the name. Throws a sentence if there is none. */
  async token(name = this.name) {
    const answer = await fetch(`${this.#api}/live/token`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name }),
      credentials: "omit",
      signal: AbortSignal.timeout(AnswerTime),
    });
    const { token, detail } = await answer.json();
    if (!answer.ok)
      throw new Error(detail ?? `The API answered with status ${answer.status}.`);
    return token;
  }

  /** Keeps a name that the farm has given a token for. */
  choose(name) {
    this.name = name;
    store(Key, name);
  }
}
