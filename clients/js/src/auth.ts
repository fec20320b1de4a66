import { backOff } from "./backoff.js";
import type { Settings } from "./options.js";
import type { Tokens } from "./tokens.js";

/** The id of each AUTH; the other requests have numbers. */
export const authId = "auth";

/** The connection whose token it is. */
export interface AuthOwner {
  /** Gives the node the token. */
  present(token: string): void;
  /** The node has accepted none yet, and does not accept this one. */
  refused(reason: string): void;
  /** The node takes this token only on a new connection. */
  reopen(): void;
  /** There is no new token, or the node does not accept it. The old one still counts. */
  failed(error: unknown): void;
}

// A node whose every answer is EXPIRING must not reach the issuer faster.
const leastSpread = 1000;

/** The token of one connection, from opened to closed: presents it, and renews it before it expires. */
export class Auth {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #renewing = false;
  #unanswered = false;
  #ended = false;

  /** @param accepted The node has accepted the token of the URL. */
  constructor(readonly tokens: Tokens, readonly settings: Settings, public accepted: boolean, readonly owner: AuthOwner) {}

  present(token = this.tokens.current) {
    if (token === undefined) return;
    this.#unanswered = true;
    this.owner.present(token);
  }

  /** AUTHED. */
  accept() {
    this.#unanswered = false;
    this.accepted = true;
    this.#failures = 0;
  }

  /** ERROR to an AUTH. */
  refuse(code: string, message: string) {
    this.#unanswered = false;
    if (code === "auth_off" || code === "unknown_type") return; // The node looks at no tokens.
    if (code === "bad_token" || code === "forbidden") {
      if (!this.accepted) return this.owner.refused(message);
      if (code === "forbidden") return this.owner.reopen(); // It is another user's.
      this.owner.failed(message);
      if (this.tokens.getToken) this.#after(this.#jitter(), () => this.renew());
    } else {
      this.#presentLater();
    }
  }

  /** The node has not processed some of the requests that have no answer. */
  limited() {
    if (this.#unanswered) this.#presentLater();
  }

  /** The token expires in some seconds. Clients whose tokens were issued together do not ask for new ones together. */
  expiring(seconds: number) {
    if (!this.tokens.getToken || this.#renewing) return;
    this.#after(Math.random() * Math.min(Math.max(seconds * 500, leastSpread), 2 ** 31 - 1), () => this.renew());
  }

  /** Fetches a token and presents it; after a failure again and again, until the node closes the connection. */
  async renew() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#renewing) return;
    this.#renewing = true;
    let token: string | undefined;
    try {
      token = await this.tokens.refresh();
    } catch (error) {
      if (!this.#ended) {
        this.owner.failed(error);
        this.#after(this.#jitter(), () => this.renew());
      }
    }
    this.#renewing = false;
    if (token !== undefined && !this.#ended) this.present(token);
  }

  stop() {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #presentLater() {
    this.#after(this.settings.minDelay + this.#jitter(), () => this.present());
  }

  #jitter() {
    return backOff(this.#failures++, this.settings.minDelay, this.settings.maxDelay);
  }

  #after(delay: number, act: () => unknown) {
    if (this.#ended) return; // By a listener that was told of the failure.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void act();
    }, delay);
  }
}
