// Comments as text: a list in place of flying comments, and a log for screen readers. Both get a few of many.

const ListLength = 60;
const ListPause = 700;
const ListAtOnce = 6;
const SpokenLength = 12;
const SpokenPause = 5000;

/** The list that readers see who prefer less motion. */
export class List {
  #element;
  #waiting = [];
  #timer = 0;

  isOn = false;

  constructor(element) {
    this.#element = element;
  }

  clear() {
    this.#waiting.length = 0;
    this.#element.replaceChildren();
  }

  /**
   * Shows some messages of a batch.
   * @param {(index: number) => { text: string, isOwn: boolean }} describe Makes one message's comment.
   * @param {Set<number>} always Messages that are shown in any case.
   */
  offer(length, describe, always) {
    if (!this.isOn)
      return;
    const most = Math.min(length, ListAtOnce);
    const picked = new Set(always);
    for (let i = 0; i < most; i++)
      picked.add(Math.floor((i + 0.5) * length / most));
    for (const index of [...picked].sort((a, b) => a - b))
      this.#waiting.push(describe(index));
    this.#waiting.splice(0, this.#waiting.length - ListLength);
    this.#timer ||= setTimeout(() => this.#show(), ListPause);
  }

  #show() {
    this.#timer = 0;
    const list = this.#element;
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    for (const { text, isOwn } of this.#waiting.splice(0)) {
      const line = document.createElement("li");
      line.textContent = text;
      line.dir = "auto";
      line.classList.toggle("own", isOwn);
      list.append(line);
    }
    while (list.childElementCount > ListLength)
      list.firstElementChild.remove();
    // A reader who has scrolled up reads on.
    if (isAtEnd)
      list.scrollTop = list.scrollHeight;
  }
}

/** What a screen reader says: now and then how many messages came, and one of them. */
export class Spoken {
  #element;
  #count = 0;
  #last = "";
  #timer = 0;

  constructor(element) {
    this.#element = element;
  }

  /** @param {() => string} lastText Makes the text of the last message. */
  offer(count, lastText) {
    this.#count += count;
    this.#last = lastText;
    this.#timer ||= setTimeout(() => this.#say(), this.#element.childElementCount === 0 ? 300 : SpokenPause);
  }

  #say() {
    this.#timer = 0;
    const line = document.createElement("p");
    const text = this.#last();
    line.textContent = this.#count === 1 ? text : `${this.#count} messages, the last: ${text}`;
    this.#element.append(line);
    this.#count = 0;
    while (this.#element.childElementCount > SpokenLength)
      this.#element.firstElementChild.remove();
  }
}
