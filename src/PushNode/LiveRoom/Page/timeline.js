// The frames of the last half minute: one bar for each, as high as it has messages.

const Span = 30_000;
const MaxFrames = 512;
const Heights = [1, 10, 100, 1000, 10_000];

export class Timeline {
  #canvas;
  #context;
  #times = new Float64Array(MaxFrames);
  #sizes = new Float64Array(MaxFrames);
  #next = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
  }

  add(messages, now) {
    this.#times[this.#next % MaxFrames] = now;
    this.#sizes[this.#next % MaxFrames] = messages;
    this.#next++;
  }

  clear() {
    this.#next = 0;
  }

  draw(now) {
    const scale = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = [this.#canvas.clientWidth, this.#canvas.clientHeight];
    if (this.#canvas.width !== Math.round(width * scale) || this.#canvas.height !== Math.round(height * scale)) {
      this.#canvas.width = Math.round(width * scale);
      this.#canvas.height = Math.round(height * scale);
    }
    const context = this.#context;
    const style = getComputedStyle(this.#canvas);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    this.#drawScale(context, style, width, height);
    context.fillStyle = style.color;
    for (let i = Math.max(0, this.#next - MaxFrames); i < this.#next; i++) {
      const age = now - this.#times[i % MaxFrames];
      const x = width - 6 - (age / Span) * (width - 36);
      if (age > Span)
        continue;
      const top = yOf(this.#sizes[i % MaxFrames], height);
      context.beginPath();
      context.roundRect(x - 2, top, 4, height - 1 - top, 2);
      context.fill();
    }
  }

  /** Lines at 1, 10, 100 and 1000 messages. */
  #drawScale(context, style, width, height) {
    context.font = `10px ${style.fontFamily}`;
    context.textBaseline = "middle";
    context.textAlign = "right";
    context.strokeStyle = style.borderTopColor;
    context.fillStyle = style.outlineColor;
    context.lineWidth = 1;
    for (const messages of Heights.slice(0, 4)) {
      const y = Math.round(yOf(messages, height)) + 0.5;
      context.beginPath();
      context.moveTo(30, y);
      context.lineTo(width, y);
      context.stroke();
      context.fillText(String(messages), 25, y);
    }
  }
}

/** A logarithmic scale from 1 near the bottom. */
const yOf = (messages, height) => Math.max(2, height - 8 - Math.log10(Math.max(1, messages)) / 3.2 * (height - 18));
