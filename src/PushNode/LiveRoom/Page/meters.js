// Figures over time. All have a fixed size.

const Seconds = 60;

/** Counts by the second. */
export class Rate {
  total = 0;
  #counts = new Float64Array(Seconds);
  #second = 0;

  add(count, now) {
    this.#turn(now);
    this.total += count;
    this.#counts[this.#second % Seconds] += count;
  }

  /** The sum over the last whole seconds. */
  over(seconds, now) {
    this.#turn(now);
    let sum = 0;
    for (let i = 1; i <= seconds; i++)
      sum += this.#counts[(this.#second - i + 2 * Seconds) % Seconds];
    return sum;
  }

  /** The average of the last whole seconds. */
  perSecond(now, seconds = 5) {
    return this.over(seconds, now) / seconds;
  }

  #turn(now) {
    const second = Math.floor(now / 1000);
    for (let i = Math.max(this.#second + 1, second - Seconds + 1); i <= second; i++)
      this.#counts[i % Seconds] = 0;
    this.#second = Math.max(this.#second, second);
  }
}

const Longest = 10_000;

/** Times in whole milliseconds, exact up to ten seconds, of the last ten to twenty seconds. */
export class Histogram {
  #now = new Uint32Array(Longest + 1);
  #before = new Uint32Array(Longest + 1);
  #count = 0;

  get count() {
    return this.#count;
  }

  add(milliseconds) {
    this.#now[Math.min(Longest, Math.max(0, Math.round(milliseconds)))]++;
    this.#count++;
  }

  /** Forgets the older half. Called every ten seconds. */
  turn() {
    [this.#now, this.#before] = [this.#before, this.#now];
    this.#now.fill(0);
    this.#count = this.#before.reduce((sum, count) => sum + count, 0);
  }

  /** The time that this part of all times does not exceed. */
  quantile(part) {
    let rest = Math.ceil(part * this.#count);
    for (let time = 0; time <= Longest; time++) {
      rest -= this.#now[time] + this.#before[time];
      if (rest <= 0)
        return time;
    }
    return Longest;
  }
}

/** Frames of the canvas: how many a second, and the longest time between two, of the last whole second in which it moved. */
export class FrameMeter {
  perSecond = 0;
  longest = 0;
  #since = 0;
  #frames = 0;
  #slowest = 0;

  /** @param {number} elapsed The time since the frame before; 0 begins anew. */
  add(now, elapsed) {
    if (elapsed === 0) {
      [this.#since, this.#frames, this.#slowest] = [now, 0, 0];
      return;
    }
    this.#frames++;
    this.#slowest = Math.max(this.#slowest, elapsed);
    if (now - this.#since < 1000)
      return;
    this.perSecond = this.#frames * 1000 / (now - this.#since);
    this.longest = this.#slowest;
    [this.#since, this.#frames, this.#slowest] = [now, 0, 0];
  }
}
