// The node's page: asks /status every two seconds while the tab is visible, and says so when the node does not answer.

import { byId, element, setText } from './dom.js';
import { clock, duration } from './format.js';
import { History } from './history.js';
import { Plots } from './plots.js';
import { getJson, Poll, Refusal } from './poll.js';
import { startRooms } from './rooms.js';
import { forgetSettings, startSettings } from './settings.js';

const history = new History();
const plots = new Plots(history);
let answeredAt = null;
let hasRooms = false;

async function ask() {
  let status;
  try {
    status = await getJson(history.path);
  } catch (error) {
    showSilence(error);
    return;
  }
  answeredAt = Date.now();
  const isRestarted = history.run !== '' && status.run !== history.run;
  if (!hasRooms && status.parts.includes('rooms')) {
    hasRooms = true;
    startRooms();
  }
  if (history.add(status)) plots.make();
  if (isRestarted) forgetSettings();
  showHealth(status);
  plots.draw();
}

function showHealth(status) {
  const name = status.name ?? status.program;
  document.title = `${status.ready ? '' : 'Not ready: '}${name} - RedisPush`;
  document.body.dataset.state = status.ready ? 'ready' : 'unready';
  setText(byId('name'), name);
  const running = duration((Date.parse(status.time) - Date.parse(status.started)) / 1000);
  setText(byId('process'), `${status.program} ${(status.version ?? '').split('+')[0]}, process ${status.pid}, running for ${running}`);
  setText(byId('health'), status.ready ? 'Ready' : 'Not ready');
  const texts = [...status.reasons, ...status.warnings.flatMap(warning => warning.split('\n'))];
  if (texts.join('\n') !== [...byId('reasons').children].map(item => item.textContent).join('\n'))
    byId('reasons').replaceChildren(...texts.map(text => element('li', {}, text)));
  byId('silence').hidden = true;
}

function showSilence(error) {
  const since = answeredAt === null ? 'The node does not answer'
    : `The node has not answered since ${clock(answeredAt)}, for ${duration((Date.now() - answeredAt) / 1000)}`;
  setText(byId('silence'), error instanceof Refusal ? error.message : `${since}. What is below is from before; the page keeps asking.`);
  byId('silence').hidden = false;
  document.body.dataset.state = 'silent';
  setText(byId('health'), 'No answer');
}

startSettings();
new Poll(2000, ask).now();
