// All plots, in sections.

import { byId, element, setText } from './dom.js';
import { duration } from './format.js';
import { Cursor, PlotCard } from './plot.js';

const titles = { Clients: 'Clients', Pushing: 'Messages', Publishing: 'Publish API', Backplane: 'Backplane', Process: 'Process' };

export class Plots {
  constructor(history) {
    this.history = history;
    this.cards = [];
    this.cursor = new Cursor(() => history.span, () => this.draw());
    this.at = element('p', { id: 'cursor', 'aria-live': 'polite' });
  }

  /** Makes the sections and cards. The first time, and when there are other plots than before. */
  make() {
    const { plots } = this.history;
    this.cards = plots.map(plot => plot.section === 'Health' || plot.lines.length === 0 ? null : new PlotCard(plot, this.cursor));
    const sections = [...new Set(plots.filter((_, i) => this.cards[i]).map(plot => plot.section))].map(section =>
      element('section', { 'aria-labelledby': `title-${section}` },
        element('h2', { id: `title-${section}` }, titles[section]),
        element('div', { class: 'cards' }, ...this.cards.filter((card, i) => card && plots[i].section === section).map(card => card.element))));
    byId('plots').replaceChildren(this.at, ...sections);
    const headings = [...document.querySelectorAll('section:not([hidden]) > h2')];
    byId('sections').replaceChildren(...headings.map(heading => element('a', { href: `#${heading.id}` }, heading.textContent)));
  }

  draw() {
    const { plots, times, span } = this.history;
    plots.forEach((plot, i) => plot.section === 'Health' ? drawStrip(plot, times, span) : this.cards[i]?.draw(plot, times, span));
    setText(this.at, this.cursor.text(times));
  }
}

/** When the program was ready in the last minutes, as a strip below its name. */
function drawStrip(plot, times, span) {
  const [{ values }] = plot.lines;
  const x = time => 300 - (times.at(-1) - time) / span * 300;
  const parts = [];
  for (let from = 0; from < values.length;) {
    let to = from;
    while (to < values.length && values[to] === values[from]) to++;
    const [left, right] = [x(times[from]), x(times[Math.min(to, times.length - 1)])];
    parts.push(element('rect', { class: values[from] === 1 ? 'ready' : 'unready', x: left, y: 0, width: Math.max(1, right - left), height: 6 }));
    from = to;
  }
  const away = values.filter(value => value !== 1).length / values.length * (times.at(-1) - times[0]) / 1000;
  const label = away > 0 ? `Not ready for ${duration(away)} of the last ${duration(span / 1000)}` : `Ready for the last ${duration(span / 1000)}`;
  byId('strip').replaceChildren(element('svg', { viewBox: '0 0 300 6', preserveAspectRatio: 'none', role: 'img', 'aria-label': label }, ...parts));
}
