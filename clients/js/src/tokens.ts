/** The client's token. It is kept for reconnects: a storm of them must not reach the issuer of tokens. */
export class Tokens {
  current: string | undefined;
  // Of several requests for a token the latest counts, whichever ends last.
  #asked: object | undefined;

  constructor(token: string | undefined, readonly getToken: (() => string | Promise<string>) | undefined) {
    this.current = token;
  }

  /** Takes another token, from now on. */
  set(token: string) {
    this.#asked = undefined;
    this.current = token;
  }

  /** The token; fetched if there is none yet. */
  async get(): Promise<string | undefined> {
    return this.current ?? (this.getToken && this.refresh());
  }

  async refresh(): Promise<string> {
    const asked = this.#asked = {};
    const token = await this.getToken!();
    if (typeof token !== "string" || !token) throw new TypeError("getToken gave no token.");
    if (asked === this.#asked) this.current = token;
    return this.current ?? token;
  }

  /** Forgets the token if there is a way to a new one; returns whether there is. */
  expire(): boolean {
    if (!this.getToken) return false;
    this.current = undefined;
    return true;
  }
}
