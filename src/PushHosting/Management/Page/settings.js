// The effective settings, loaded when they are opened: a program reads its settings once.

import { byId, element, setText } from './dom.js';
import { getJson } from './poll.js';

let settings = null;

export function startSettings() {
  byId('settings').addEventListener('toggle', load);
  byId('only-set').addEventListener('change', draw);
}

/** The process is another one. */
export function forgetSettings() {
  settings = null;
  load();
}

async function load() {
  if (settings || !byId('settings').open) return;
  try {
    ({ settings } = await getJson('status/settings'));
    draw();
  } catch {
    setText(byId('settings-note'), 'The settings could not be loaded; close and open them to try again.');
  }
}

function draw() {
  if (!settings) return;
  const shown = settings.filter(row => !byId('only-set').checked || row.source !== 'default');
  byId('keys').replaceChildren(...shown.map(row => element('tr', { class: row.source === 'default' ? 'default' : 'set' },
    element('th', { scope: 'row' }, row.key),
    element('td', { 'data-title': 'Value' }, row.value || 'none'),
    element('td', { 'data-title': 'Default' }, row.default || 'none'),
    element('td', { 'data-title': 'Source' }, row.source))));
  const set = settings.filter(row => row.source !== 'default').length;
  setText(byId('settings-note'), `${set} of ${settings.length} keys are set. Passwords and other secrets are not shown.`);
}
