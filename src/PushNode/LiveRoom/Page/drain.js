// The demonstration of a drain: the node closes all its clients, and this page shows what that costs. The page first lets everything
// arrive that it has sent, and then holds what is said until it is back in the room. What others say meanwhile a room's history has.

const SettleTime = 4000;
const LongestAway = 60_000;

const until = async (condition, patience) => {
  const end = performance.now() + patience;
  while (!condition() && performance.now() < end)
    await new Promise(resolve => setTimeout(resolve, 25));
  return condition();
};

/**
 * Drains the node once.
 * @param {string} api The publish API.
 * @param {object} page outbox, ledger, watch, and step(name, text): "settle", "close", "away", "back", "done" or "failed".
 */
export async function drain(api, { outbox, ledger, watch, step }) {
  try {
    step("settle", "Waiting until everything that this page has sent has arrived …");
    await outbox.hold();
    await until(() => ledger.isSettled(ledger.given), SettleTime);
    const before = { ...watch.place, missed: ledger.missed, received: ledger.received };

    step("close", "Asking the node to close all its clients …");
    const answer = await fetch(`${api}/live/drain`, { method: "POST", credentials: "omit" });
    if (!answer.ok)
      return step("failed", await refusalOf(answer));
    const { clients } = await answer.json();

    step("away", "The node closes its clients. The close frame says when to come back …");
    if (!await until(() => !watch.isJoined, LongestAway) || !await until(() => watch.isJoined, LongestAway))
      return step("failed", "The page was not back within a minute.");
    const held = outbox.waiting;
    outbox.release();

    step("back", `Back after ${seconds(watch.lastAway)}. Counting what arrived …`);
    await until(() => outbox.taken >= held, SettleTime);
    const given = ledger.given;
    await until(() => ledger.isSettled(given), SettleTime);
    const isComplete = ledger.isSettled(given);
    const after = { ...watch.place, missed: ledger.missed, received: ledger.received };
    const others = isComplete ? countOthers(before, after) : "Some are still on their way.";
    step("done", `${report(clients, watch.lastAway, held)} ${others}`);
  } catch {
    step("failed", "The API cannot be reached.");
  } finally {
    outbox.release();
  }
}

const seconds = milliseconds => `${(milliseconds / 1000).toFixed(1)} s`;
const many = (count, one, several) => count === 1 ? one : `${count.toLocaleString("en")} ${several}`;

async function refusalOf(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text).detail;
  } catch {
    return text.trim() || `The API answered with status ${answer.status}.`;
  }
}

const report = (clients, away, held) =>
  `The node closed ${many(clients, "its only client", "clients")}, and this page was back in its room after ${seconds(away)}. `
    + `${many(held, "One comment", "comments")} of this page waited meanwhile.`;

/** What was lost from one place in the room to another. Positions count each message of the room, whoever published it. */
function countOthers(before, after) {
  const lost = after.missed - before.missed;
  const own = `Of its comments ${lost === 0 ? "none was" : many(lost, "one was", "were")} lost.`;
  const gaps = after.gaps - before.gaps;
  if (!before.position || !after.position)
    return `${own} What others published in that time did not reach this page: the node keeps no history of this room, and the client reported a gap.`;
  if (gaps > 0 || before.position.epoch !== after.position.epoch)
    return `${own} Of what others published in that time something is missing: the room's history was too short, and the client reported ${many(gaps, "a gap", "gaps")}.`;
  const came = after.position.offset - before.position.offset;
  const theirs = Math.max(0, came - (after.received - before.received));
  return `${own} Others published ${many(theirs, "one", "comments")} in that time, and none of those was lost either: the room's history had what this `
    + `page missed, and by their numbers ${came === 1 ? "the one message" : `all ${came.toLocaleString("en")} messages`} of the room came.`;
}
