/** How a connection ended. */
export interface Closing {
  /** The close code; 1006 if there was none. */
  code: number;
  reason: string;
  /** Both sides have closed, so that the code is the node's. */
  clean: boolean;
  /** Milliseconds that the node asks to wait. */
  retryIn?: number;
}

/** What a connection tells its owner: `opened`, any number of messages, and `closed` once at the end. */
export interface TransportEvents {
  opened(): void;
  /** Something came from the node. */
  heard(): void;
  /** A message came; `read` decodes it, and throws if it cannot. `size` is in characters or bytes. */
  message(read: () => unknown, size: number): void;
  closed(closing: Closing): void;
}

export interface Transport {
  readonly kind: "websocket" | "sse";
  /** Missing if the connection is one-way. */
  send?(message: object): void;
  /** Ends the connection; `dead` if no answer is to be expected. `closed` may follow or not. */
  close(dead: boolean): void;
}
