// The live room: connects the parts of the page.

import { HomeRoom, problemOf, putRoomIntoAddress, roomInAddress } from "./address.js";
import { textOf, unwrapped } from "./comment.js";
import { Controls } from "./controls.js";
import { drain } from "./drain.js";
import { Guest } from "./guest.js";
import { Header } from "./header.js";
import { Ledger } from "./ledger.js";
import { List, Spoken } from "./log.js";
import { Outbox } from "./outbox.js";
import { motion, theme } from "./preferences.js";
import { Stage } from "./stage.js";
import { Storm } from "./storm.js";
import { Strip } from "./strip.js";
import { Watch } from "./watch.js";

const byId = id => document.getElementById(id);

/** Where the storm begins in the page's own room. */
const Gentle = 3;

/** After this time without a message the page invites the reader to publish. */
const Quiet = 6000;

const settings = await readSettings();
const why = whyOnlyWatching();
const guest = settings.guests && why === null ? new Guest(settings.api) : null;
const tokens = await firstToken();
const stage = new Stage(byId("canvas"));
const list = new List(byId("list"));
const spoken = new Spoken(byId("spoken"));
const strip = new Strip(settings);
const outbox = new Outbox(settings.api, { get user() { return watch.user; }, send: item => watch.send(item) });
const storm = new Storm(outbox);
const header = new Header(name => {
  putRoomIntoAddress(name);
  enterAddressed();
});
const controls = new Controls({
  canPublish: why === null,
  canDrain: settings.farm && why === null,
  name: tokens.token ? guest.name : null,
  rename,
  say,
  blow: rate => storm.rate = rate,
  drain: step => drain(settings.api, { outbox, ledger, watch, step }),
});

let room = "";
let ledger;
let frame = { text: "", isDeflated: false };
let lastMessage = performance.now();

const watch = new Watch(socketUrl(), {
  frame: (text, socket) => frame = { text, isDeflated: socket.extensions.includes("permessage-deflate") },
  batch: show,
  joined() {
    outbox.isOpen = why === null;
    header.showState("live", true);
    controls.notice(why ?? outbox.wait ?? "", false);
  },
  gap: gap => strip.gap(gap),
  state({ state, retryIn }) {
    outbox.isOpen = false;
    const next = retryIn > 0 ? `back in ${(retryIn / 1000).toFixed(1)} s` : "connecting";
    header.showState({ connected: "joining", connecting: next, disconnected: "not connected" }[state]);
  },
  back: (away, recovered) => strip.back(away, recovered),
  online: count => header.showOnline(count),
  authed: () => outbox.isOpen = watch.isJoined,
  problem: sentence => controls.notice(sentence, true),
}, tokens);

async function readSettings() {
  try {
    return await (await fetch("live/settings.json")).json();
  } catch (error) {
    byId("notice").textContent = "The node does not answer. Load the page again.";
    throw error;
  }
}

/** What the connection begins with. Without a token the reader's comments go through the API, and have no name. */
async function firstToken() {
  try {
    return guest ? { token: await guest.token(), getToken: () => guest.token() } : {};
  } catch {
    return {}; // Keys guard this API, for example.
  }
}

/** Gives the reader another name. What is typed meanwhile waits for it. */
async function rename(name) {
  if (name === watch.user)
    return;
  outbox.isOpen = false;
  try {
    const token = await guest.token(name);
    guest.choose(name);
    watch.authenticate(token);
    controls.notice("", false);
  } catch (error) {
    outbox.isOpen = watch.isJoined;
    controls.notice(`You are still ${guest.name}: ${error.message}`, true);
  }
}

/** Why this page cannot publish, or null. */
function whyOnlyWatching() {
  if (!settings.api)
    return "This page can only watch: Push:LiveRoom:ApiUrl names no publish API.";
  if (settings.pages?.length === 0)
    return "This page can only watch: the publish API listens at another address.";
  if (settings.pages && !settings.pages.includes(location.origin))
    return `This page can only watch: it may publish when opened as ${settings.pages[0]}.`;
  return null;
}

function socketUrl() {
  const url = new URL("ws", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** One PUSH frame's messages. */
function show(items) {
  const now = performance.now();
  strip.frame(frame.text, items.length, frame.isDeflated, now);
  const typed = new Set();
  items.forEach((item, i) => {
    if (ledger.arrive(unwrapped(item).item, now))
      typed.add(i);
  });

  const describe = index => ({ text: textOf(items[index]), isOwn: typed.has(index) });
  for (const index of typed)
    stage.offerFirst(describe(index));
  if (items.length > typed.size)
    stage.offer(items.length, describe, typed);
  list.offer(items.length, describe, typed);
  spoken.offer(items.length, () => textOf(items.at(-1)));
  lastMessage = now;
  byId("invite").hidden = true;
}

/** @returns {string | null} What is wrong. */
function say(text) {
  if (!outbox.say(text, true))
    return "Too many messages wait for the API already.";
  return null;
}

function enterAddressed() {
  const named = roomInAddress() ?? HomeRoom;
  const name = problemOf(named) === null ? named : HomeRoom;
  header.accept(named);
  if (name !== room)
    enter(name);
}

function enter(name) {
  room = name;
  ledger = strip.ledger = new Ledger();
  controls.begin();
  stage.clear();
  header.showOnline(undefined);
  list.clear();
  strip.begin();
  outbox.enter(name, ledger);
  document.title = `${name} · RedisPush live room`;
  byId("command").textContent = `curl -H 'Content-Type: application/json' -d '{"text":"hello from a terminal"}' `
    + `${settings.api}/v1/rooms/${encodeURIComponent(name)}/messages`;
  header.showState("joining");
  watch.join(name);
  controls.notice(why ?? "", false);
}

outbox.onWait = wait => controls.notice(wait ?? "", wait !== null);
outbox.onUnsaid = (text, { code, wait, message }) => {
  controls.giveBack(text);
  if (code === "slow_mode" && wait > 0)
    controls.slow(wait);
  else
    controls.notice(`Not sent: ${message}`, true);
};
outbox.onRefused = sentence => {
  controls.storm(0);
  controls.notice(sentence, true);
};

theme.follow(value => stage.isDark = value === "dark");
motion.follow(value => {
  list.isOn = value === "list";
  stage.isOn = value === "fly";
  byId("list").hidden = value === "fly";
  byId("caption").hidden = value === "list";
});

// The clock.

let shown = 0;
stage.onFrame = (now, elapsed) => strip.drew(now, elapsed);

function tick() {
  const now = performance.now();
  ledger.tick(now);
  strip.entered(stage.shown - shown, now);
  shown = stage.shown;
  if (document.hidden)
    return;
  strip.update(now, stage, outbox.waiting);
  byId("caption").textContent = strip.caption(now);
  if (watch.isJoined && !stage.isBusy && now - lastMessage > Quiet) {
    byId("invite").textContent = `It is quiet here. ${why === null ? "Say something, or start a storm." : "Comments appear when somebody publishes."}`;
    byId("invite").hidden = list.isOn;
  }
}

// The beginning. The page publishes by itself only in its own room of its own farm: nobody's link makes a reader publish elsewhere.

const greets = roomInAddress() === null && why === null && settings.pages?.includes(location.origin);
byId("terminal").hidden = !settings.api;
enterAddressed();
addEventListener("popstate", enterAddressed);
if (greets) {
  outbox.say("Hello! This is the first comment of your page 👋");
  controls.storm(Gentle);
}
setInterval(tick, 250);
setInterval(() => ledger.latency.turn(), 10_000);
