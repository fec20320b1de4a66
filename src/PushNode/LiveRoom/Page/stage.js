// The canvas over which comments fly. It draws a bounded number of comments, whatever comes in: a batch is sampled for the eye, and
// counted elsewhere. Nothing is allocated for a frame.

import { Bitmaps } from "./bitmaps.js";
import { Lanes } from "./lanes.js";

const MaxFlying = 160;
const MaxWaiting = 96;
const MaxScale = 2;
// A page that was hidden, or a machine that stopped, does not make comments jump.
const LongestStep = 100;
const SecondsToCross = 9;
// Room above the lanes, and below them for a caption.
const Top = 14;
const Bottom = 36;

export class Stage {
  #canvas;
  #context;
  #lanes = new Lanes();
  #bitmaps = new Bitmaps();
  #flying = Array.from({ length: MaxFlying }, () => ({ bitmap: null, x: 0, lane: 0 }));
  #count = 0;
  #waiting = [];
  #isOn = false;
  #request = 0;
  #last = 0;
  #nextEntry = 0;
  #width = 0;
  #height = 0;
  #scale = 1;
  #laneHeight = 40;
  #speed = 0.1;
  #isDark = true;
  #frame = now => this.#draw(now);

  /** Called with the time of each frame and the time since the frame before it. */
  onFrame = () => {};

  /** Comments that have entered since the page was opened. */
  shown = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    new ResizeObserver(() => this.#resize()).observe(canvas);
  }

  /** Whether a comment flies or waits. */
  get isBusy() {
    return this.#count > 0 || this.#waiting.length > 0;
  }

  /** The number of comments that fly. */
  get flying() {
    return this.#count;
  }

  set isDark(isDark) {
    this.#isDark = isDark;
    this.#measure();
  }

  /** Turned off, the stage is empty and takes no comments. */
  set isOn(isOn) {
    this.#isOn = isOn;
    this.clear();
    this.#measure();
  }

  /** Removes all comments. */
  clear() {
    this.#count = 0;
    this.#waiting.length = 0;
    this.#lanes.resize(0, 0);
    this.#resize();
  }

  /**
   * Shows some messages of a batch, picked evenly: as many as can enter until the next batch is likely.
   * @param {number} length The number of messages.
   * @param {(index: number) => { text: string, isOwn: boolean }} describe Makes one message's comment.
   * @param {Set<number>} except Messages that are shown already.
   */
  offer(length, describe, except) {
    if (!this.#isOn || document.hidden)
      return;
    const most = Math.min(length, Math.max(4, Math.ceil(this.#lanes.count * 1.6)));
    for (let i = 0; i < most; i++) {
      const index = Math.floor((i + Math.random()) * length / most);
      if (!except.has(index))
        this.#waiting.push(describe(index));
    }
    // What waits longest is stale.
    if (this.#waiting.length > MaxWaiting)
      this.#waiting.splice(0, this.#waiting.length - MaxWaiting);
    this.#wake();
  }

  /** Shows one comment before those that wait. */
  offerFirst(comment) {
    if (!this.#isOn || document.hidden)
      return;
    this.#waiting.unshift(comment);
    this.#wake();
  }

  #wake() {
    if (this.#request !== 0)
      return;
    this.#last = 0;
    this.#request = requestAnimationFrame(this.#frame);
  }

  #draw(now) {
    const elapsed = this.#last === 0 ? 0 : now - this.#last;
    this.#last = now;
    this.onFrame(now, elapsed);
    this.#move(Math.min(elapsed, LongestStep));
    this.#enter(now);
    this.#paint();
    this.#request = this.isBusy ? requestAnimationFrame(this.#frame) : 0;
  }

  #move(elapsed) {
    const distance = elapsed * this.#speed;
    this.#lanes.advance(distance);
    for (let i = 0; i < this.#count;) {
      const comment = this.#flying[i];
      comment.x -= distance * this.#lanes.tempo(comment.lane);
      if (comment.x + comment.bitmap.width > 0 && comment.lane < this.#lanes.count)
        i++;
      else
        this.#remove(i);
    }
  }

  #remove(i) {
    const gone = this.#flying[i];
    gone.bitmap = null;
    this.#count--;
    this.#flying[i] = this.#flying[this.#count];
    this.#flying[this.#count] = gone;
  }

  #enter(now) {
    while (this.#waiting.length > 0 && now >= this.#nextEntry && this.#count < MaxFlying) {
      const lane = this.#lanes.free();
      if (lane < 0)
        return;
      const { text, isOwn } = this.#waiting.shift();
      const comment = this.#flying[this.#count++];
      comment.bitmap = this.#bitmaps.of(text, isOwn);
      comment.x = this.#width;
      comment.lane = lane;
      this.#lanes.enter(lane, comment.bitmap.width);
      this.shown++;
      // Spread over about a second: a batch does not enter as one column.
      this.#nextEntry = now + Math.min(250, 900 / (this.#waiting.length + 1)) * (0.5 + Math.random());
    }
  }

  #paint() {
    const context = this.#context;
    const scale = this.#scale;
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    const top = Top + (this.#height - Top - Bottom - this.#lanes.count * this.#laneHeight) / 2;
    for (let i = 0; i < this.#count; i++) {
      const { bitmap, x, lane } = this.#flying[i];
      const y = top + lane * this.#laneHeight + (this.#laneHeight - bitmap.height) / 2;
      context.drawImage(bitmap.image, Math.round(x * scale), Math.round(y * scale));
    }
  }

  #resize() {
    const { clientWidth, clientHeight } = this.#canvas;
    const scale = Math.min(devicePixelRatio || 1, MaxScale);
    if (clientWidth !== this.#width || clientHeight !== this.#height || scale !== this.#scale) {
      [this.#width, this.#height, this.#scale] = [clientWidth, clientHeight, scale];
      this.#canvas.width = Math.round(clientWidth * scale);
      this.#canvas.height = Math.round(clientHeight * scale);
    }
    this.#measure();
  }

  #measure() {
    const size = this.#width < 600 ? 14 : 16;
    this.#bitmaps.look = { scale: this.#scale, size, isDark: this.#isDark, font: getComputedStyle(this.#canvas).fontFamily };
    this.#laneHeight = Math.round(size * 1.95) + 10;
    this.#speed = (this.#width + 240) / (SecondsToCross * 1000);
    this.#lanes.resize(Math.max(1, Math.floor((this.#height - Top - Bottom) / this.#laneHeight)), this.#width);
    if (this.isBusy)
      this.#wake();
    else
      this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }
}
