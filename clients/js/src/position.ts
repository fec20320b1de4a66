import type { Gap, Position } from "./redispush.js";

type Data = Record<string, unknown>;

/** What a value says of a position; undefined if that is none. Anybody's value may be asked. */
export function positionOf(value: unknown): Position | undefined {
  const { epoch, offset } = (value ?? {}) as Data;
  return typeof epoch === "string" && /^[0-9a-z-]{1,64}$/.test(epoch) && isCount(offset) ? { epoch, offset } : undefined;
}

/** A whole number that is not negative, and exact. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Whether everything up to a position has been received at another one. Positions of two epochs cannot be compared. */
export const covers = (known: Position | undefined, position: Position): boolean =>
  known?.epoch === position.epoch && known.offset >= position.offset;

/** How many messages are between two positions; null if nobody knows. */
export const distance = (from: Position | undefined, to: Position | undefined): number | null =>
  from && to && covers(to, from) ? to.offset - from.offset : null;

/** What a PUSH brings to a room. */
export interface Step {
  /** Those that have not come before. */
  items: unknown[];
  /** Where the room is before them and after them; undefined if they have no positions. */
  start?: Position;
  end?: Position;
  /** Each item has a position: their order says which. */
  whole?: boolean;
  /** What is missing before them. */
  gap?: Gap;
}

/** Holds a PUSH against the position of its room: what came before is cut off, and a hole is seen. */
export function follow(known: Position | undefined, data: Data): Step {
  let items = data.items as unknown[];
  const end = positionOf(data);
  const count = data.positioned ?? items.length;
  if (!end || !isCount(count) || count > items.length || count > end.offset) return { items };
  const whole = count === items.length;
  let start = { epoch: end.epoch, offset: end.offset - count };
  if (!known || (known.offset === start.offset)) return { items, start, end, whole }; // Numbers go on in a new epoch.
  if (covers(known, end)) return { items: [] };
  if (covers(known, start)) {
    const old = known.offset - start.offset;
    start = known;
    if (whole) return { items: items.slice(old), start, end, whole };
    // Nobody knows which of them have positions: none is given twice.
    start = end;
    items = [];
  }
  return { items, start, end, whole, gap: { missed: distance(known, start), reason: "hole", from: known, to: start } };
}
