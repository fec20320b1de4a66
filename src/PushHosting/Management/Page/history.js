// The samples of the last minutes, put together from the answers of /status. Holds no more than the node does, however long the page is open.

const shortest = 60_000;

export class History {
  run = '';
  sample = 0;
  times = [];
  plots = [];
  span = shortest;

  /** What to ask for: everything, or only what is new. */
  get path() {
    return this.run ? `status?run=${this.run}&after=${this.sample}` : 'status';
  }

  /** Adds an answer. Returns whether the plots are others than before: after a restart, or when an instrument measures for the first time. */
  add(answer) {
    const isSame = answer.run === this.run;
    const kept = isSame ? Math.max(0, Math.min(this.times.length, answer.length - answer.times.length)) : 0;
    const dropped = this.times.length - kept;
    const before = isSame ? new Map(this.plots.flatMap(plot => plot.lines.map(line => [`${plot.title}/${line.name}`, line.values]))) : new Map();
    const shape = plots => JSON.stringify(plots.map(plot => [plot.title, plot.lines.map(line => line.name)]));
    const isOther = !isSame || shape(answer.plots) !== shape(this.plots);

    this.times = [...this.times.slice(dropped), ...answer.times];
    for (const plot of answer.plots) {
      for (const line of plot.lines) {
        const old = before.get(`${plot.title}/${line.name}`)?.slice(dropped) ?? new Array(kept).fill(null);
        line.values = [...old, ...line.values];
      }
    }
    this.plots = answer.plots;
    this.run = answer.run;
    this.sample = answer.sample;
    // A young process has no ten minutes yet.
    const whole = answer.interval * answer.length * 1000;
    this.span = Math.min(whole, Math.max(shortest, this.times.at(-1) - this.times[0]));
    return isOther;
  }
}
