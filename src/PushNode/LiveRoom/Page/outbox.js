// Publishes the page's messages through the API, and what the reader types over the WebSocket if the reader has a name: one request at a
// time, so that they keep their order and a slow API is not given more to do. While the page is not in the room, messages wait here: a sender
// that knows its own connection loses nothing to a reconnect.

const MaxWaiting = 2000;
const FirstMaxItems = 500;
const MaxChars = 60_000;
const Pace = 50;
const FirstPause = 1000;
const LongestPause = 30_000;
const AnswerTime = 15_000;

// The API remembers a key for 120 s. A request whose outcome is unknown is repeated within this time.
const KeyTime = 100_000;

// Fewer messages at once may be accepted: the API's limits are settings.
const TooLarge = 413;

// Redis does not let the API publish once by key; docs/http-api.md#retries.
const NoKeys = 501;

// Nothing was published, and the same request may succeed later.
const Busy = [429, 503];

export class Outbox {
  /** Called with a sentence when messages were refused for good. */
  onRefused = () => {};

  /** Called with a comment of the reader's and why the node has not taken it: the error of the JavaScript client. */
  onUnsaid = () => {};

  /** Called when `wait` changes. */
  onWait = () => {};

  /** Why messages wait although the page is in the room: a sentence, or null. */
  wait = null;

  #api;
  #room;
  #ledger;
  #waiting = [];
  #post = null; // the request whose outcome is not known
  #isOpen = false;
  #isHeld = false;
  #turning = null;
  #timer = 0;
  #pause = FirstPause;
  #taken = 0;
  #maxItems = FirstMaxItems;
  #hasKeys = true;
  #line;

  /**
   * @param {string} api The publish API.
   * @param {{ user?: string, send(item: object): Promise<void> }} line The WebSocket: it sends while it has a user.
   */
  constructor(api, line) {
    [this.#api, this.#line] = [api, line];
  }

  /** Messages that the API does not have, or perhaps not: it has not confirmed or refused them. */
  get waiting() {
    return this.#waiting.length + (this.#post?.messages.length ?? 0);
  }

  /** How many messages the API has taken since `release`. */
  get taken() {
    return this.#taken;
  }

  /** How many more messages may wait. */
  get space() {
    return MaxWaiting - this.#waiting.length;
  }

  /** Messages go to this room, and are written down in this ledger. What waits for another room is dropped. */
  enter(room, ledger) {
    [this.#room, this.#ledger, this.#post] = [room, ledger, null];
    this.#waiting.length = 0;
    this.#isOpen = false;
  }

  /** Whether the page is in the room. */
  set isOpen(isOpen) {
    this.#isOpen = isOpen;
    this.#schedule(0);
  }

  /** Sends nothing until `release`. Resolves when no request is under way. */
  async hold() {
    this.#isHeld = true;
    await this.#turning;
  }

  release() {
    this.#isHeld = false;
    this.#taken = 0;
    this.#schedule(0);
  }

  /**
   * Adds a message.
   * @param {string} text
   * @param {boolean} isTyped Whether the reader typed it.
   * @returns {boolean} False if too many wait.
   */
  say(text, isTyped = false) {
    if (this.space <= 0)
      return false;
    this.#waiting.push({ text, isTyped });
    this.#schedule(0);
    return true;
  }

  get #hasWork() {
    return this.#isOpen && !this.#isHeld && (this.#post !== null || this.#waiting.length > 0);
  }

  #schedule(delay) {
    if (this.#timer === 0 && this.#turning === null && this.#hasWork)
      this.#timer = setTimeout(() => this.#turn(), delay);
  }

  async #turn() {
    this.#timer = 0;
    if (!this.#hasWork)
      return;
    const began = performance.now();
    const post = this.#post ??= this.#next(began);
    this.#turning = post.isSent ? this.#send(post) : this.#publish(post);
    const delay = await this.#turning;
    this.#turning = null;
    // A request that must be repeated has taken its place.
    if (this.#post === post)
      this.#post = null;
    this.#schedule(Math.max(0, delay, Pace - (performance.now() - began)));
  }

  /** The next request: a comment of the reader's to send, or as many messages as fit. */
  #next(now) {
    const isSent = this.#sends(0);
    let count = isSent ? 1 : 0;
    for (let chars = 0; !this.#sends(count) && count < Math.min(this.#waiting.length, this.#maxItems) && chars < MaxChars; count++)
      chars += this.#waiting[count].text.length;
    const messages = this.#waiting.splice(0, count);
    const [room, ledger] = [this.#room, this.#ledger];
    const request = ledger.begin(messages, now);
    const items = request.items(messages);
    const body = items.map(item => JSON.stringify(item) + "\n").join("");
    return { room, ledger, request, messages, item: items[0], body, isSent, isRepeated: false };
  }

  /** Whether a message goes over the WebSocket. */
  #sends(index) {
    return this.#line.user !== undefined && this.#waiting[index]?.isTyped === true;
  }

  /** Sends one comment. It is not repeated: nobody would know whether it came twice. */
  async #send(post) {
    const { ledger, request, messages, item } = post;
    try {
      await this.#line.send(item);
      ledger.accept(request);
      this.#taken++;
    } catch (error) {
      if (error.maybeSent) {
        ledger.doubt(request);
        return 0;
      }
      ledger.refuse(request);
      if (error.code === "not_connected")
        this.#putBack(post);
      else
        this.onUnsaid(messages[0].text, error);
    }
    return 0;
  }

  /** @returns How long to wait before the next request. */
  async #publish(post) {
    const { room, ledger, request, messages, body } = post;
    let answer;
    try {
      answer = await fetch(`${this.#api}/v1/rooms/${encodeURIComponent(room)}/messages`, {
        method: "POST",
        headers: { "Content-Type": "application/x-ndjson", ...(this.#hasKeys ? { "Idempotency-Key": request.name } : {}) },
        body,
        credentials: "omit",
        signal: AbortSignal.timeout(AnswerTime),
      });
    } catch {
      return this.#repeat(post, "The API does not answer, or does not allow this page's origin");
    }

    if (answer.ok) {
      ledger.accept(request);
      this.#taken += messages.length;
      this.#pause = FirstPause;
      this.#waitFor(null);
      return 0;
    }

    const problem = await answer.json().catch(() => ({}));
    const retryAfter = Number(answer.headers.get("Retry-After")) * 1000;
    if (Busy.includes(answer.status) && (post.isRepeated || problem.type?.includes("not-confirmed")))
      return this.#repeat(post, "The API could not confirm the last messages", retryAfter);
    if (post.isRepeated) {
      ledger.doubt(request);
      return FirstPause;
    }
    ledger.refuse(request);
    if (Busy.includes(answer.status)) {
      this.#putBack(post);
      return this.#backOff("The API is busy", retryAfter);
    }
    if (answer.status === NoKeys && this.#hasKeys) {
      this.#hasKeys = false;
      this.#putBack(post);
      return 0;
    }
    if (answer.status === TooLarge && messages.length > 1) {
      this.#maxItems = Math.ceil(messages.length / 2);
      this.#putBack(post);
      return 0;
    }
    const what = messages.length === 1 ? "the message" : `${messages.length} messages`;
    this.onRefused(`The API refused ${what}: ${problem.detail ?? `status ${answer.status}`}`);
    return FirstPause;
  }

  /** Nothing of the request was published: its messages are the next ones again. */
  #putBack({ ledger, messages }) {
    if (ledger === this.#ledger)
      this.#waiting.unshift(...messages);
  }

  /** Nobody knows whether the request was published. With its key it can be repeated, and is published once. */
  #repeat(post, why, hint = 0) {
    if (!this.#hasKeys || performance.now() - post.request.at > KeyTime)
      post.ledger.doubt(post.request);
    else if (post.ledger === this.#ledger)
      this.#post = { ...post, isRepeated: true };
    return this.#backOff(why, hint);
  }

  #backOff(why, hint = 0) {
    const pause = Math.max(hint || 0, this.#pause);
    this.#pause = Math.min(LongestPause, this.#pause * 2);
    this.#waitFor(`${why}; the next attempt is in ${Math.round(pause / 1000)} s.`);
    return pause;
  }

  #waitFor(why) {
    if (this.wait === why)
      return;
    this.wait = why;
    this.onWait(why);
  }
}
