// The figures below the stage. Everything here is measured in this page, of the room since it was joined.

import { FrameMeter, Rate } from "./meters.js";
import { Timeline } from "./timeline.js";
import { Scale } from "./weigh.js";

const byId = id => document.getElementById(id);
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const rate = value => (value >= 10 ? whole : fine).format(value);

const Reasons = {
  slow: "this page read too slowly",
  overload: "the node was overloaded",
  failed: "an error in the node",
  backplane: "the node lost Redis for a while",
  reconnected: "this page was away",
  hole: "they were left out",
  history: "the room's history was too short",
  epoch: "Redis lost the room's history",
};

export class Strip {
  ledger;

  #messages;
  #frames;
  #drawn;
  #scale;
  #gaps = 0;
  #reconnects = 0;
  #fps;
  #timeline = new Timeline(byId("timeline"));
  #settings;
  #isDeflated = true;
  #shown = new Map();

  constructor(settings) {
    this.#settings = settings;
    this.#show("window", duration(settings.windowMs));
    this.#show("longest", duration(settings.windowMs));
    this.#show("gather", duration(settings.gatherMs));
    this.begin();
  }

  /** Begins anew, for another room. */
  begin() {
    [this.#messages, this.#frames, this.#drawn] = [new Rate(), new Rate(), new Rate()];
    this.#scale = new Scale(this.#settings.deflateFrom);
    this.#fps = new FrameMeter();
    this.#timeline.clear();
    [this.#gaps, this.#reconnects] = [0, 0];
    this.#show("gap-last", "None: nothing that the node could tell of was missed.");
    this.#show("reconnect-last", "The page has not lost its connection.");
  }

  /** A PUSH frame came, with its messages. */
  frame(text, count, isDeflated, now) {
    this.#frames.add(1, now);
    this.#messages.add(count, now);
    this.#timeline.add(count, now);
    this.#isDeflated = isDeflated;
    this.#scale.weigh(text);
  }

  gap({ missed, reason }) {
    this.#gaps++;
    const count = missed === null || missed === undefined ? "an unknown number of" : whole.format(missed);
    this.#show("gap-last", `The last: ${count} messages, because ${Reasons[reason] ?? reason}.`);
  }

  back(away, recovered) {
    this.#reconnects++;
    const more = recovered ? "; the room's history had what was missed." : ", from the lost connection to the joined room.";
    this.#show("reconnect-last", `The last took ${(away / 1000).toFixed(1)} s${more}`);
  }

  /** A frame of the canvas was drawn. */
  drew(now, elapsed) {
    this.#fps.add(now, elapsed);
  }

  entered(count, now) {
    this.#drawn.add(count, now);
  }

  /** Messages a second that were drawn, and that came. */
  caption(now) {
    const came = this.#messages.perSecond(now, 3);
    return came === 0 ? "" : `${rate(this.#drawn.perSecond(now, 3))} of ${rate(came)} messages a second drawn, all counted`;
  }

  /**
   * Shows all figures. Called a few times a second.
   * @param {number} waiting Messages of this page that the API has not confirmed.
   */
  update(now, stage, waiting) {
    const messages = this.#messages.over(5, now);
    const frames = this.#frames.over(5, now);
    this.#show("messages", rate(this.#messages.perSecond(now, 3)));
    this.#show("messages-total", whole.format(this.#messages.total));
    this.#show("drawn", rate(this.#drawn.perSecond(now, 3)));
    this.#show("frames", fine.format(frames / 5));
    this.#show("frames-total", whole.format(this.#frames.total));
    this.#show("ratio", frames > 0 ? rate(messages / frames) : "–");
    this.#showBytes();
    this.#show("waiting", whole.format(waiting));
    this.#showOwn();
    this.#show("gaps", whole.format(this.#gaps));
    this.#show("reconnects", whole.format(this.#reconnects));
    this.#show("fps", stage.isBusy && this.#fps.perSecond > 0 ? whole.format(this.#fps.perSecond) : "–");
    this.#show("flying", whole.format(stage.flying));
    this.#show("slowest", this.#fps.longest > 0 ? `${whole.format(this.#fps.longest)} ms` : "–");
    this.#timeline.draw(now);
  }

  #showBytes() {
    const { plain, deflated, frames, shrunk } = this.#scale;
    this.#show("deflated", frames > 0 ? bytes(deflated) : "–");
    this.#show("plain", frames > 0 ? bytes(plain) : "–");
    this.#show("rest", frames > 0 ? `${fine.format(100 * deflated / plain)} %` : "–");
    this.#show("bytes-note", frames > 0 && shrunk === 0 && this.#settings.deflateFrom > 0
      ? `Frames of less than ${whole.format(this.#settings.deflateFrom)} B go plain.`
      : this.#isDeflated
        ? "The page deflates each frame again to know."
        : "What it would be: this connection is not deflated.");
  }

  #showOwn() {
    const { ledger } = this;
    if (!ledger)
      return;
    this.#show("sent", whole.format(ledger.sent));
    this.#show("received", whole.format(ledger.received));
    this.#show("on-the-way", whole.format(ledger.onTheWay));
    this.#show("missed", whole.format(ledger.missed));
    this.#show("unconfirmed", whole.format(ledger.unconfirmed));
    this.#show("repeated", whole.format(ledger.repeated));
    const isMeasured = ledger.latency.count > 0;
    this.#show("latency", isMeasured ? `${whole.format(ledger.latency.quantile(0.5))} ms` : "–");
    this.#show("latency-high", isMeasured ? `${whole.format(ledger.latency.quantile(0.99))} ms` : "–");
  }

  /** Touches the page only for what has changed. */
  #show(id, text) {
    if (this.#shown.get(id) === text)
      return;
    this.#shown.set(id, text);
    byId(id).textContent = text;
  }
}

const duration = milliseconds => milliseconds >= 1000 ? `${fine.format(milliseconds / 1000)}\u00a0s` : `${milliseconds}\u00a0ms`;

function bytes(count) {
  if (count < 10_000)
    return `${whole.format(count)} B`;
  return count < 1e6 ? `${whole.format(count / 1e3)} kB` : `${fine.format(count / 1e6)} MB`;
}
