// How many bytes the frames have, plain and deflated. A browser does not show what came over the wire, so the page deflates each frame as
// the node does: each by itself, from the same size on.

const encoder = new TextEncoder();

export class Scale {
  frames = 0;
  plain = 0;
  deflated = 0;
  shrunk = 0; // frames that became shorter

  #from;
  #isBusy = false;

  /** @param {number} from The length from which the node deflates, in bytes; 0 if it never does. */
  constructor(from) {
    this.#from = from;
  }

  /** Whether this browser can deflate. */
  static get works() {
    return typeof CompressionStream === "function";
  }

  /** Weighs a frame, unless the one before is still being weighed: both sums are of the same frames. */
  async weigh(text) {
    if (this.#isBusy || !Scale.works)
      return;
    this.#isBusy = true;
    try {
      const bytes = encoder.encode(text);
      const deflated = this.#from > 0 && bytes.length >= this.#from ? await deflatedLength(bytes) : bytes.length;
      this.frames++;
      this.plain += bytes.length;
      this.deflated += Math.min(deflated, bytes.length);
      this.shrunk += deflated < bytes.length ? 1 : 0;
    } finally {
      this.#isBusy = false;
    }
  }
}

async function deflatedLength(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const reader = stream.getReader();
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read())
    length += part.value.length;
  return length;
}
