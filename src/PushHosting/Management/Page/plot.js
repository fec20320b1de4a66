// One plot: a card with lines over the last minutes, and each line's value as text.

import { element, setText } from './dom.js';
import { clock, count, duration, inUnit } from './format.js';

const width = 300;
const height = 70;

/** A plot with more lines than this shows only those that have been other than 0. */
const alwaysShown = 3;

export class PlotCard {
  /** @param cursor Shared by all plots: the time that the reader points at. */
  constructor(plot, cursor) {
    this.cursor = cursor;
    this.drawing = element('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', tabindex: 0 });
    this.top = element('span');
    this.from = element('span');
    this.values = element('ul', { class: 'lines' });
    this.rest = element('p', { class: 'note' });
    this.element = element('figure', { class: 'card plot' },
      element('figcaption', {},
        element('h3', {}, plot.title),
        element('details', { class: 'about' }, element('summary', { 'aria-label': `About ${plot.title}` }, '?'), element('p', {}, plot.meaning))),
      this.frame = element('div', {}, this.drawing, element('p', { class: 'axis', 'aria-hidden': 'true' }, this.from, this.top)),
      this.values, this.rest);
    cursor.listen(this.drawing);
  }

  draw(plot, times, span) {
    const { unit } = plot;
    const lines = plot.lines.filter(line => plot.lines.length <= alwaysShown || wasSeen(line));
    this.frame.hidden = lines.length === 0;
    const drawn = lines.map(line => line.values);
    const highest = drawn.flat().reduce((most, value) => value > most ? value : most, 0);
    const end = times.at(-1);
    const x = time => width - (end - time) / span * width;
    const y = value => height - 1 - (highest > 0 ? value / highest : 0) * (height - 4);
    const at = this.cursor.index(times);

    this.drawing.replaceChildren(
      ...drawn.map((values, i) => element('path', { class: `line line-${i % 8}`, d: path(values, times, x, y) })),
      ...(drawn.length === 1 ? [element('path', { class: 'area', d: area(drawn[0], times, x, y) })] : []),
      ...(at === undefined ? [] : [element('line', { class: 'cursor', x1: x(times[at]), x2: x(times[at]), y1: 0, y2: height })]));
    const spoken = lines.map(line => `${line.name} ${inUnit(line.now, unit)}, at most ${inUnit(most(line.values), unit)}`);
    this.drawing.setAttribute('aria-label', `${plot.title}, the last ${duration(span / 1000)}: ${spoken.join('; ')}`);
    setText(this.from, `${duration(span / 1000)} ago`);
    setText(this.top, highest > 0 ? `highest ${inUnit(highest, unit)}` : '');
    this.list(lines, unit, at);
    this.rest.hidden = lines.length === plot.lines.length;
    const quiet = plot.lines.filter(line => !lines.includes(line)).map(line => line.name);
    setText(this.rest, quiet.length > 0 ? `0 so far: ${quiet.join(', ')}` : '');
  }

  list(lines, unit, at) {
    while (this.values.childElementCount > lines.length) this.values.lastChild.remove();
    lines.forEach((line, i) => {
      if (!this.values.children[i]) {
        this.values.append(element('li', {},
          element('span', { class: `mark line-${i % 8}` }), element('span', { class: 'what' }), element('span', { class: 'total' }), element('strong')));
      }
      const [, what, total, value] = this.values.children[i].children;
      setText(what, line.name);
      setText(total, line.total === null ? '' : `${count(line.total)} in all`);
      if (unit.startsWith('bytes') && line.total !== null) setText(total, `${inUnit(line.total, 'bytes')} in all`);
      if (unit === 'seconds' || unit === 'count') setText(total, '');
      setText(value, inUnit(at === undefined ? line.now : line.values[at], unit));
    });
  }
}

const wasSeen = line => line.total > 0 || line.values.some(value => value > 0);
const most = values => values.reduce((most, value) => value !== null && (most === null || value > most) ? value : most, null);

/** The line; it is interrupted where there is no value. */
function path(values, times, x, y) {
  let isDown = false;
  return values.map((value, i) => {
    const before = isDown;
    isDown = value !== null;
    // A value between two gaps is a dot.
    const isDot = isDown && !before && (i + 1 === values.length || values[i + 1] === null);
    return isDown ? `${before ? 'L' : 'M'}${x(times[i]).toFixed(1)} ${y(value).toFixed(1)}${isDot ? 'h1' : ''}` : '';
  }).join('');
}

function area(values, times, x, y) {
  const shape = path(values.map(value => value ?? 0), times, x, y);
  return shape && `${shape}L${x(times.at(-1)).toFixed(1)} ${height}L${x(times[0]).toFixed(1)} ${height}Z`;
}

/** The time that the reader points at, with the mouse, a finger or the arrow keys; the same in all plots. */
export class Cursor {
  constructor(span, changed) {
    Object.assign(this, { span, changed, age: undefined });
  }

  listen(drawing) {
    const point = event => {
      const box = drawing.getBoundingClientRect();
      this.set((1 - (event.clientX - box.left) / box.width) * this.span());
    };
    drawing.addEventListener('pointermove', point);
    drawing.addEventListener('pointerleave', () => this.set(undefined));
    drawing.addEventListener('blur', () => this.set(undefined));
    drawing.addEventListener('keydown', event => {
      const step = { ArrowLeft: 1, ArrowRight: -1 }[event.key];
      if (event.key === 'Escape') this.set(undefined);
      if (step === undefined) return;
      event.preventDefault();
      this.set((this.age ?? 0) + step * this.span() / 60);
    });
  }

  set(age) {
    this.age = age === undefined ? undefined : Math.max(0, Math.min(this.span(), age));
    this.changed();
  }

  /** The index of the sample at that time; undefined if the reader points at none. */
  index(times) {
    if (this.age === undefined || times.length === 0) return undefined;
    const wanted = times.at(-1) - this.age;
    const next = times.findIndex(time => time >= wanted);
    return next < 0 ? times.length - 1 : next;
  }

  /** What the values shown are of. */
  text(times) {
    const at = this.index(times);
    return at === undefined ? '' : `values at ${clock(times[at])}`;
  }
}
