// The top of the page: the room, the state of the connection, and the reader's choices.

import { problemOf } from "./address.js";
import { motion, theme } from "./preferences.js";

const byId = id => document.getElementById(id);

export class Header {
  #input = byId("room");
  #problem = byId("room-problem");
  #state = byId("state");

  /** @param {(name: string) => void} onRoom Called with a good name that the reader has chosen. */
  constructor(onRoom) {
    byId("room-form").addEventListener("submit", event => {
      event.preventDefault();
      if (this.accept(this.#input.value))
        onRoom(this.#input.value);
    });
    this.#input.addEventListener("input", () => this.#problem.textContent = "");
    byId("skip").addEventListener("click", () => byId("text").focus());
    follow(theme, byId("theme"), "dark");
    follow(motion, byId("motion"), "list");
    theme.follow(value => document.documentElement.dataset.theme = value);
  }

  /** Shows a name, and what is wrong with it. Returns whether it is good. */
  accept(name) {
    const problem = problemOf(name);
    this.#input.value = name;
    this.#input.setAttribute("aria-invalid", String(problem !== null));
    this.#problem.textContent = problem ?? "";
    return problem === null;
  }

  /** @param {number | undefined} count How many are in the room, if that is known. */
  showOnline(count) {
    byId("online").textContent = count === undefined ? "" : `${count.toLocaleString("en")} online`;
  }

  showState(text, isJoined = false) {
    this.#state.textContent = text;
    this.#state.parentElement.className = isJoined ? "state joined" : "state";
  }
}

/** A button that changes a choice, and is pressed while the choice has this value. */
function follow(choice, button, pressed) {
  button.addEventListener("click", () => choice.toggle());
  choice.follow(value => button.setAttribute("aria-pressed", String(value === pressed)));
}
