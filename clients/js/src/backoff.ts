/** Full jitter: anything between 0 and a limit that doubles with each failure. Clients that were cut off together return spread out. */
export function backOff(failures: number, minDelay: number, maxDelay: number, random = Math.random): number {
  return random() * Math.min(maxDelay, minDelay * 2 ** failures);
}

/** What the node asks for by the reason `retry=milliseconds`; undefined if nothing. Nodes ask for at most 15 minutes. */
export function retryHint(reason: string): number | undefined {
  const hint = /^retry=(\d+)$/.exec(reason);
  return hint ? Math.min(Number(hint[1]), 900_000) : undefined;
}

/** The header `Retry-After` in milliseconds; undefined without one in seconds. */
export function retryAfter(header: string | null): number | undefined {
  return header && /^\d+$/.test(header) ? Math.min(Number(header) * 1000, 900_000) : undefined;
}
