// The top rooms and the inspector. Both ask only while they are on the screen.

import { byId, element, setText } from './dom.js';
import { bytes, clock, count, duration } from './format.js';
import { getJson, Poll, Refusal } from './poll.js';

const pause = 2000;
let isSeen = false;

/** Begins: the node has rooms. */
export function startRooms() {
  const section = byId('rooms');
  section.hidden = false;
  const top = new Poll(pause, showTop, () => isSeen);
  const inspector = new Inspector();
  new IntersectionObserver(entries => {
    isSeen = entries.at(-1).isIntersecting;
    top.now();
    inspector.poll.now();
  }).observe(section);
  byId('order').addEventListener('change', drawTop);
  byId('find').addEventListener('submit', event => {
    event.preventDefault();
    if (byId('room').value) inspector.look(byId('room').value);
  });
  byId('everybody').addEventListener('click', () => inspector.look(null));
  byId('top').addEventListener('click', event => {
    const name = event.target.closest('button')?.dataset.room;
    if (name === undefined) return;
    byId('room').value = name;
    inspector.look(name);
  });
  const named = new URLSearchParams(location.search).get('room');
  if (named !== null) {
    byId('room').value = named;
    inspector.look(named);
    // When the plots above it have their size.
    setTimeout(() => section.scrollIntoView());
  }
}

let ranking = null;

async function showTop() {
  try {
    ranking = await getJson('status/rooms');
  } catch {
    // The page says at its top that the node does not answer.
    return;
  }
  drawTop();
}

function drawTop() {
  if (!ranking) return;
  const order = new FormData(byId('order')).get('order');
  const rows = byId('top');
  while (rows.childElementCount > ranking[order].length) rows.lastChild.remove();
  ranking[order].forEach(({ room, members, rate }, i) => {
    // Rows are kept, so that the focus is.
    if (!rows.children[i]) {
      rows.append(element('tr', {},
        element('td', {}, element('button', { type: 'button', class: 'room' })), element('td', { class: 'number' }), element('td', { class: 'number' })));
    }
    const [name, size, speed] = rows.children[i].children;
    name.firstChild.dataset.room = room;
    setText(name.firstChild, room);
    setText(size, count(members));
    setText(speed, rate === null ? 'counting' : count(rate));
  });
  const listed = ranking[order].length;
  setText(byId('top-note'), ranking.rooms === 0 ? 'No room has members here.'
    : order === 'rates' && ranking.over === null ? 'Counting messages ...'
    : order === 'rates' && listed === 0 ? 'No room has messages now.'
    : `${count(listed)} of ${count(ranking.rooms)} rooms on this node`);
}

/** A GAP as the room's members were told. */
const describe = ({ at, reason, missed }) =>
  `${clock(Date.parse(at))}, ${reason}, ${missed === null ? 'an unknown number of' : count(missed)} messages missed`;

/** Where a room with history stands, and what the node has of it. */
const remembered = ({ size, ttl, reading, epoch, start, end, messages, bytes: held }) => ({
  ...(size > 0 ? {
    Position: reading ? 'is being read' : epoch === null ? 'none: its server keeps no histories' : `${epoch}.${end}`,
    'Kept on Redis': `${count(size)} messages for ${duration(ttl)}`,
  } : {}),
  'Kept on this node': messages === 0 ? 'nothing' : `${count(messages)} messages${end === start ? '' : `, ${start + 1} to ${end}`}, ${bytes(held)}`,
});

/** Looks at one room until it is told to look at another. Its rates are differences between its own looks. */
class Inspector {
  poll = new Poll(pause, () => this.ask(), () => isSeen && this.path !== undefined);
  path;
  before;

  /** @param name The room's name; null for what everybody gets. */
  look(name) {
    this.path = name === null ? 'status/rooms?all' : `status/rooms?room=${encodeURIComponent(name)}`;
    this.before = undefined;
    byId('inspected').replaceChildren();
    history.replaceState(null, '', name === null ? location.pathname : `?room=${encodeURIComponent(name)}`);
    this.poll.now();
  }

  async ask() {
    const { path } = this;
    let room;
    try {
      room = await getJson(path);
    } catch (error) {
      if (error instanceof Refusal && path === this.path)
        byId('inspected').replaceChildren(element('p', { class: 'note' }, error.message));
      this.before = undefined;
      return;
    }
    // Another room was asked for meanwhile.
    if (path !== this.path) return this.ask();
    this.show(room);
    this.before = room.state === 'absent' ? undefined : room;
  }

  show(room) {
    if (room.state === 'absent') {
      byId('inspected').replaceChildren(element('p', { class: 'note' },
        'Nobody on this node is in this room, or was in the last seconds. Other nodes may have it.'));
      return;
    }
    const grown = key => this.before ? room[key] - this.before[key] : undefined;
    const seconds = this.before ? (Date.parse(room.time) - Date.parse(this.before.time)) / 1000 : undefined;
    const [messages, batches] = [grown('messages'), grown('batches')];
    const kinds = Object.entries(room.variants).filter(([, members]) => members > 0).map(([kind, members]) => `${kind} ${count(members)}`);
    const facts = {
      Room: room.room ?? 'everybody (broadcasts)',
      Members: [count(room.members), ...(kinds.length > 0 ? [`(${kinds.join(', ')})`] : [])].join(' '),
      'Message rate': messages === undefined ? 'counting' : `${count(messages / seconds)}/s`,
      'Batch size': batches > 0 ? `${count(messages / batches)} messages`
        : room.batches > 0 ? `${count(room.last_batch)} messages in the last batch` : 'no batch yet',
      'Since it opened': `${count(room.messages)} messages in ${count(room.batches)} batches`,
      'Last GAP': room.gap ? describe(room.gap) : 'none since it opened',
      ...(room.history ? remembered(room.history) : {}),
      Channel: `${room.channel} on ${room.server}`,
      State: { receiving: 'receives messages', pending: 'waits for the subscription', away: 'its server is unavailable' }[room.state] ?? room.state,
    };
    const list = byId('inspected');
    if (list.querySelector('dl')?.childElementCount !== 2 * Object.keys(facts).length)
      list.replaceChildren(element('dl', {}, ...Object.keys(facts).flatMap(name => [element('dt', {}, name), element('dd')])));
    Object.values(facts).forEach((text, i) => setText(list.querySelectorAll('dd')[i], text));
  }
}
