// What a reader publishes with: a comment, a storm, a drain. One line below says what is wrong.

const byId = id => document.getElementById(id);

// The steps of the slider, in messages a second.
const Rates = [0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 400, 500, 700, 1000];

export class Controls {
  #slider = byId("storm");
  #drain = byId("drain");
  #drained = byId("drained");
  #blow;
  #countdown = 0;

  /**
   * @param {object} page canPublish and canDrain; name, or null if the reader has none, and rename(name); say(text), which returns what is
   * wrong, or null; blow(rate); and drain(step), which resolves when it is over.
   */
  constructor({ canPublish, canDrain, name, rename, say, blow, drain }) {
    for (const id of ["text", "send", "storm"])
      byId(id).disabled = !canPublish;
    byId("say-form").addEventListener("submit", event => {
      event.preventDefault();
      const text = byId("text").value.trim();
      if (text === "")
        return;
      const problem = say(text);
      this.notice(problem ?? "", problem !== null);
      if (problem === null)
        byId("text").value = "";
    });

    byId("name").hidden = name === null;
    byId("name").disabled = name === null;
    byId("name").value = name ?? "";
    byId("name").addEventListener("change", () => rename(byId("name").value.trim()));

    this.#slider.max = Rates.length - 1;
    this.#slider.addEventListener("input", () => this.storm(Rates[this.#slider.valueAsNumber]));
    this.#blow = blow;

    this.#drain.hidden = !canDrain;
    this.#drain.disabled = false;
    this.#drain.addEventListener("click", async () => {
      if (this.#drain.ariaDisabled === "true")
        return;
      this.#drain.ariaDisabled = "true"; // `disabled` would take the focus from the button.
      this.#drained.hidden = false;
      await drain((step, text) => this.#showStep(step, text));
      this.#drain.ariaDisabled = "false";
    });
    byId("drained-close").addEventListener("click", () => {
      this.#drained.hidden = true;
      byId("drain").focus();
    });
  }

  /** Begins anew, for another room. */
  begin() {
    this.storm(0);
    this.#drained.hidden = true;
  }

  /** Changes the storm's rate, and shows it. */
  storm(rate) {
    this.#blow(rate);
    this.#slider.value = Rates.findLastIndex(step => step <= rate);
    byId("storm-rate").textContent = rate === 0 ? "off" : `${rate.toLocaleString("en")} a second`;
    this.#slider.setAttribute("aria-valuetext", rate === 0 ? "off" : `${rate} messages a second`);
  }

  notice(text, isBad) {
    clearTimeout(this.#countdown);
    byId("notice").textContent = text;
    byId("notice").classList.toggle("bad", isBad);
  }

  /** The room is in slow mode: counts down until the reader may write again. */
  slow(milliseconds) {
    this.notice(milliseconds > 0 ? `Slow mode: your next comment in ${Math.ceil(milliseconds / 1000)} s.` : "", milliseconds > 0);
    if (milliseconds > 0)
      this.#countdown = setTimeout(() => this.slow(milliseconds - 1000), Math.min(milliseconds, 1000));
  }

  /** Gives the reader a comment back that was not sent, unless another one is being typed. */
  giveBack(text) {
    byId("text").value ||= text;
  }

  #showStep(step, text) {
    const steps = [...this.#drained.querySelectorAll("li")];
    const now = steps.findIndex(item => item.dataset.step === step);
    steps.forEach((item, i) => item.className = step === "done" || i < now ? "done" : i === now ? "now" : "");
    byId("drained-text").textContent = text;
  }
}
