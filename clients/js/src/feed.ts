import { covers, distance, follow, isCount, positionOf } from "./position.js";
import type { Gap, History, Position, RequestError } from "./redispush.js";

type Data = Record<string, unknown>;

/** What may wait for a gap to heal, in characters or bytes of the node's messages. Beyond that the gap is told. */
const mostHeld = 8 << 20;

/** The node has looked into the history already. */
const hopeless = new Set(["history", "epoch"]);

/** The node may answer later; after so many refusals in a row the gap is told. */
const busy = new Set(["history_away", "too_many_joins", "too_many_requests"]);
const mostRefusals = 3;

/** What a feed leaves to its room's client. */
export interface FeedOwner {
  /** Whether the room is joined; a listener may change that. */
  joined(): boolean;
  /** Gives items to listeners; returns how many they got before one of them ended that. */
  deliver(items: unknown[], data: Data): number;
  tell(gap: Gap): void;
  /** Reads what followed a position; undefined if gaps are not to be healed, or cannot be. */
  reader(): ((since: Position) => Promise<History>) | undefined;
}

/** A gap that heals, and what came meanwhile. */
interface Healing {
  gap: Gap;
  to: Position;
  held: { data: Data; size: number }[];
  size: number;
}

/** Brings what a room gets into one sequence: keeps its position, and tells of what is missing, or heals that first. */
export class Feed {
  #healing: Healing | undefined;

  constructor(public position: Position | undefined, readonly owner: FeedOwner) {}

  /** The connection or the membership has ended. What was held back comes again, because the position does not include it. */
  end() {
    this.#healing = undefined;
  }

  /** Takes JOINED; calls `told` before anything else comes of it, with whether nothing was lost. */
  join(data: Data, continues: boolean, told: (recovered: boolean) => void) {
    const from = this.position;
    const to = positionOf(data);
    const step = follow(from, { ...data, items: [], positioned: 0 });
    const recovered = data.recovered === true && !!from && !step.gap;
    if (!from || (recovered && step.end)) this.position = to;
    told(recovered);
    if (recovered || !continues || !this.owner.joined()) return;
    this.#lose({ missed: distance(from, to), reason: "reconnected", ...(from && { from }), ...(to && { to }) });
    if (!to) this.position = undefined;
  }

  /** Takes a PUSH or a GAP; `size` is the message's. */
  take(data: Data, size: number) {
    const healing = this.#healing;
    if (!this.owner.joined()) return;
    if (healing) {
      healing.held.push({ data, size });
      healing.size += size;
      if (healing.size > mostHeld) this.#release(healing);
    } else if (data.items) {
      this.#push(data, size);
    } else {
      const { missed, reason, from, to } = data;
      const gap = { missed: isCount(missed) ? missed : null, reason: String(reason), from: this.position ?? positionOf(from), to: positionOf(to) };
      if (!gap.to || !covers(this.position, gap.to)) this.#lose(gap);
    }
  }

  #push(data: Data, size: number) {
    const { items, start, end, whole, gap } = follow(this.position, data);
    if (gap && this.#lose(gap)) return this.take(data, size);
    if (!this.owner.joined()) return;
    if (end) this.position = end;
    const taken = this.owner.deliver(items, data);
    if (end && taken < items.length) this.position = whole ? { ...end, offset: end.offset - items.length + taken } : start;
  }

  /** Tells of a gap, or begins to heal it; returns whether it does. */
  #lose(gap: Gap): boolean {
    const { from, to, reason } = gap;
    const heals = !!from && !!to && !hopeless.has(reason) && !!this.owner.reader();
    if (heals) void this.#heal(gap, from, to);
    else this.#tell(gap);
    return heals;
  }

  #tell(gap: Gap) {
    this.position = gap.to ?? this.position;
    this.owner.tell(gap);
  }

  async #heal(gap: Gap, from: Position, to: Position) {
    const healing: Healing = this.#healing = { gap, to, held: [], size: 0 };
    this.position = from;
    for (let refusals = 0; ;) {
      const page = await this.owner.reader()?.(this.position!).catch((error: RequestError) => error);
      if (healing !== this.#healing) return; // Ended, or too much was held back.
      if (page instanceof Error) {
        if (!busy.has(page.code) || ++refusals === mostRefusals) break;
        await new Promise(resolve => setTimeout(resolve, 1000 * (refusals + Math.random())));
      } else {
        refusals = 0;
        if (!page?.position || !this.#page(healing, page, page.position)) break;
      }
    }
    if (healing === this.#healing) this.#release(healing);
  }

  /** Gives what a page has of a gap; returns whether the next page may have more. */
  #page({ gap, to }: Healing, { items, recovered, more }: History, { epoch, offset }: Position): boolean {
    const known = this.position!;
    const start = { epoch, offset: offset - items.length };
    if (start.offset < 0 || start.offset > to.offset) return false; // Nothing of the gap is left.
    const fresh = items.slice(0, to.offset - start.offset); // What follows the gap comes by itself.
    if (!covers(known, start) && !(recovered && known.offset === start.offset))
      this.#tell({ ...gap, missed: distance(known, start), from: known, to: start });
    this.#push({ epoch, offset: start.offset + fresh.length, items: fresh }, 0);
    return more && fresh.length > 0 && this.position !== known && this.position!.offset < to.offset;
  }

  /** Tells of what is left of a gap, and goes on with what was held back. */
  #release({ gap, to, held }: Healing) {
    const at = this.position!;
    this.#healing = undefined;
    // The room's epoch has changed meanwhile, and its history ends before the gap does: Redis has lost the rest.
    if (at !== gap.from && at.epoch !== to.epoch) {
      if (at.offset < to.offset) this.#tell({ ...gap, missed: null, to: at });
    } else if (!covers(at, to)) {
      this.#tell(at === gap.from ? gap : { ...gap, missed: distance(at, to), from: at });
    }
    for (const { data, size } of held) this.take(data, size);
  }
}
