/** The token is missing, invalid or expired. */
export const unauthorized = 4001;

/** The client may not connect. */
export const forbidden = 4003;

/** The client sent too much, and must not return at once. */
export const tooManyMessages = 4029;

// A bug of the client, or a decision about it: the next connection would end in the same way.
const final = new Set([1002, 1003, 1007, 1009, unauthorized, forbidden, 4009]);

export const isFinal = (code: number) => final.has(code);
