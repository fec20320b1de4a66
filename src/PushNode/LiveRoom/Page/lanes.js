// Lanes in which comments move from right to left without overlapping. A lane has one speed, so comments keep their distance, and the
// next one enters when the end of the last one is far enough inside.

/** The distance between two comments of a lane, in CSS pixels. */
export const Gap = 28;

// How much faster or slower a lane is than the average. Neighbours differ, so that comments do not move as one wall.
const Tempo = [1, 0.86, 1.14, 0.93, 1.21, 0.9, 1.07];

export class Lanes {
  #tails = [];   // where the last comment of each lane ends
  #width = 0;

  /** The number of lanes. */
  get count() {
    return this.#tails.length;
  }

  /** How fast a lane moves, as a factor. */
  tempo(lane) {
    return Tempo[lane % Tempo.length];
  }

  /** Changes the size. Lanes that remain keep their comments. */
  resize(count, width) {
    this.#width = width;
    while (this.#tails.length > count)
      this.#tails.pop();
    while (this.#tails.length < count)
      this.#tails.push(-Infinity);
  }

  /** Moves all lanes. */
  advance(distance) {
    for (let lane = 0; lane < this.#tails.length; lane++)
      this.#tails[lane] -= distance * this.tempo(lane);
  }

  /**
   * Finds a lane that another comment may enter.
   * @returns {number} The emptier of two that are free, or -1.
   */
  free() {
    const count = this.#tails.length;
    const start = Math.floor(Math.random() * count);
    let best = -1;
    for (let i = 0, found = 0; i < count && found < 2; i++) {
      const lane = (start + i * 5) % count;
      if (this.#tails[lane] + Gap > this.#width)
        continue;
      found++;
      if (best < 0 || this.#tails[lane] < this.#tails[best])
        best = lane;
    }
    return best >= 0 ? best : this.#tails.findIndex(tail => tail + Gap <= this.#width);
  }

  /** A comment of this width enters at the right edge. */
  enter(lane, width) {
    this.#tails[lane] = this.#width + width;
  }
}
