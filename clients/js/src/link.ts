import { address } from "./address.js";
import { Auth, authId } from "./auth.js";
import { backOff, retryHint } from "./backoff.js";
import { isFinal, tooManyMessages, unauthorized } from "./closecodes.js";
import { Pulse } from "./pulse.js";
import type { Settings } from "./options.js";
import type { Failure, State, StateChange } from "./redispush.js";
import { openSse } from "./sse.js";
import { Tokens } from "./tokens.js";
import type { Closing, Transport, TransportEvents } from "./transport.js";
import { openWebSocket } from "./websocket.js";

/** Who owns a link. */
export interface LinkOwner {
  changed(change: StateChange): void;
  /** The rooms for the URL of a one-way connection. */
  rooms(): [name: string, value: string][];
  opened(): void;
  message(read: () => unknown, size: number): void;
  lost(): void;
  failed(failure: Failure): void;
}

/** A token that the node accepted for so many milliseconds was good: the next refusal is a new matter. */
const lasting = 10_000;

/** Keeps one connection open: connects, watches, waits and connects again, until it is stopped or the node forbids it. */
export class Link {
  state: State = "disconnected";
  /** The open connection. */
  transport: Transport | undefined;
  /** The token of the open connection. */
  auth: Auth | undefined;

  readonly #tokens: Tokens;
  // The first is used.
  readonly #kinds: ("websocket" | "sse")[];
  // What belongs to an earlier attempt is ignored.
  #attempt: object | undefined;
  #connection: Transport | undefined;
  #pulse: Pulse | undefined;
  // Of the attempt's deadline, or of the wait for the next attempt.
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reopening: ReturnType<typeof setTimeout> | undefined;
  // The wait may not be cut short.
  #held = false;
  #failures = 0;
  #unopened = 0;
  // The token has been renewed because the node refused it, and the new one has not lasted yet.
  #renewed = false;
  #openedAt = 0;
  // A WebSocket has opened before.
  #through = false;

  constructor(readonly url: string, readonly settings: Settings, readonly owner: LinkOwner) {
    this.#tokens = new Tokens(settings.token, settings.getToken);
    this.#kinds = settings.kinds;
  }

  start() {
    if (this.state !== "disconnected") return;
    this.#failures = this.#unopened = 0;
    this.#renewed = this.#held = false;
    globalThis.addEventListener?.("online", this.#wake);
    globalThis.addEventListener?.("offline", this.#check);
    globalThis.document?.addEventListener("visibilitychange", this.#seen);
    void this.#open();
  }

  stop(why: Partial<Closing> = {}) {
    if (this.state === "disconnected") return;
    globalThis.removeEventListener?.("online", this.#wake);
    globalThis.removeEventListener?.("offline", this.#check);
    globalThis.document?.removeEventListener("visibilitychange", this.#seen);
    this.#end();
    this.#change("disconnected", why);
  }

  /** Connects anew, for other rooms in the URL: together with what asks for that in the same moment. */
  reopen(delay: number) {
    this.#reopening ??= setTimeout(() => {
      this.#end();
      void this.#open();
    }, delay);
  }

  /** The node has done what it was asked to: the next failure is the first. */
  proved() {
    this.#failures = 0;
  }

  get token() { return this.#tokens.current; }

  /** Uses another token from now on, or one that is fetched now. */
  authenticate(token?: string) {
    if (token !== undefined) this.#tokens.set(token);
    if (this.auth) {
      if (token === undefined) void this.auth.renew();
      else this.auth.present();
      return;
    }
    if (token === undefined) this.#tokens.expire();
    if (!this.#attempt) return; // The next attempt takes it.
    this.#end();
    void this.#open();
  }

  async #open() {
    const attempt = this.#attempt = {};
    const isCurrent = () => attempt === this.#attempt;
    const { settings } = this;
    this.#timer = setTimeout(() => this.#lost("No connection in time."), settings.connectTimeout);
    this.#held = false;
    this.#change("connecting");
    if (!isCurrent()) return;

    const kind = this.#kinds[0]!;
    const events: TransportEvents = {
      opened: () => isCurrent() && this.#opened(),
      heard: () => isCurrent() && this.#pulse?.heard(),
      message: (read, size) => isCurrent() && this.owner.message(read, size),
      closed: closing => isCurrent() && this.#lost(closing.reason, closing),
    };
    let token: string | undefined;
    try {
      token = await this.#tokens.get();
    } catch (error) {
      if (isCurrent()) {
        this.#tokenFailed(error);
        this.#lost("No token.");
      }
    }
    if (!isCurrent()) return;
    try {
      const query: [string, string][] = kind === "sse" ? this.owner.rooms() : [];
      // Logs and consoles show URLs. A WebSocket's token goes by AUTH; the URL is the only place for one of server-sent events.
      if (kind === "sse" && token !== undefined) query.push(["token", token]);
      const target = address(this.url, kind, query);
      this.#connection = kind === "sse"
        ? openSse(target, settings.fetch!, events)
        : openWebSocket(target, settings.WebSocket!, settings.encoding, events);
    } catch (error) {
      this.#lost(String(error)); // A page's policy can forbid the connection.
    }
  }

  #opened() {
    clearTimeout(this.#timer);
    this.#unopened = 0;
    this.transport = this.#connection!;
    this.#openedAt = performance.now();
    this.#through ||= this.transport.kind === "websocket";
    const { pingInterval, pingTimeout } = this.settings;
    // A one-way connection cannot ask: its heartbeats come every 15 s.
    const timeout = pingTimeout ?? (this.transport.send ? 10_000 : 20_000);
    this.#pulse = new Pulse(pingInterval, timeout, () => this.transport?.send?.({ type: "PING", data: {} }), () => {
      this.#connection?.close(true);
      this.#lost("No sign of life.");
    });
    const attempt = this.#attempt;
    const oneWay = !this.transport.send;
    this.auth = new Auth(this.#tokens, this.settings, oneWay, {
      present: token => oneWay ? this.reopen(0) : this.transport?.send!({ type: "AUTH", id: authId, data: { token } }),
      refused: reason => this.#lost(reason, { code: unauthorized, reason, clean: true }),
      reopen: () => this.reopen(0),
      failed: error => this.#tokenFailed(error),
    });
    if (!oneWay) this.auth.present(); // Before the JOINs: the node takes requests in their order.
    if (attempt !== this.#attempt) return;
    this.#change("connected");
    if (attempt === this.#attempt) this.owner.opened();
  }

  #lost(reason: string, closing: Closing = { code: 1006, reason, clean: false }) {
    const { code, clean } = closing;
    if (this.transport && performance.now() - this.#openedAt > lasting) this.#renewed = false;
    if (!this.transport) this.#unopened++;
    else if (this.#through && this.#kinds[1] === "websocket") this.#kinds.reverse();
    this.#end();
    if (clean && isFinal(code)) {
      if (code !== unauthorized || this.#renewed || !this.#tokens.expire()) {
        this.stop({ code, reason });
        this.owner.failed({ code: "closed", message: `The node closed the connection with ${code}: ${reason}.`, final: true });
        return;
      }
      this.#renewed = true;
    }
    const retryIn = Math.round(this.#delay(closing));
    this.#held = code === tooManyMessages;
    this.#timer = setTimeout(() => void this.#open(), retryIn);
    this.#change("connecting", { code, reason, retryIn });
  }

  #delay({ code, reason, retryIn }: Closing): number {
    const { minDelay, maxDelay } = this.settings;
    if (code === tooManyMessages) return 30_000 + Math.random() * 30_000;
    // From the second attempt that did not open: a proxy may let only plain HTTP through. A node that is down refuses both:
    // the two are one failure.
    if (this.#unopened > 1 && this.#kinds.length > 1) {
      this.#kinds.reverse();
      if (this.#kinds[0] === "sse") return 0;
    }
    const delay = backOff(this.#failures++, minDelay, maxDelay);
    if (globalThis.navigator?.onLine === false) return maxDelay; // `online` ends the wait. Browsers err, so it has an end.
    const hint = retryHint(reason);
    // Not sooner than without a hint: a node that always says 0 must not be asked without end.
    return hint === undefined ? (retryIn ?? 0) + delay : Math.max(hint, delay);
  }

  #end() {
    const { transport } = this;
    const connection = this.#connection;
    this.#attempt = this.#connection = this.transport = undefined;
    for (const timer of [this.#timer, this.#reopening]) clearTimeout(timer);
    this.#reopening = undefined;
    this.auth?.stop();
    this.auth = undefined;
    this.#pulse?.stop();
    this.#pulse = undefined;
    connection?.close(false);
    if (transport) this.owner.lost();
  }

  #change(state: State, { code, reason, retryIn }: { code?: number; reason?: string; retryIn?: number } = {}) {
    const previous = this.state;
    this.state = state;
    this.owner.changed({ state, previous, code, reason, retryIn });
  }

  #tokenFailed(error: unknown) {
    this.owner.failed({ code: "token", message: `No token: ${error}`, final: false });
  }

  readonly #check = () => this.#pulse?.check();

  readonly #wake = () => {
    if (this.transport) this.#check();
    else if (!this.#attempt && !this.#held) {
      clearTimeout(this.#timer);
      void this.#open();
    }
  };

  readonly #seen = () => {
    if (document.visibilityState === "visible") this.#wake();
  };
}
