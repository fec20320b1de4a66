// What a message looks like as a comment. Messages are any JSON by anybody: the result is one short line of plain text.

const MaxUnits = 400;
const MaxGraphemes = 80;
const MaxNameGraphemes = 24;

// Separators and control characters, which would break the line.
const Breaks = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

// Marks that turn the direction of what follows, and characters that nobody sees. U+200D stays: it joins emoji.
const Invisible = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\u00ad]/gu;

// More marks on one letter than any language has, which would paint over other lanes.
const Stacked = /(\p{M}{3})\p{M}+/gu;

const graphemes = globalThis.Intl?.Segmenter ? new Intl.Segmenter() : null;

/** What was sent by a user, whom the node names, in the node's wrapping; otherwise the item itself, without `from`. */
export function unwrapped(item) {
  return typeof item?.from === "string" && Object.hasOwn(item, "item") ? { from: item.from, item: item.item } : { item };
}

/** @returns {string} The text to show for an item, after the name of the user who sent it. */
export function textOf(wrapped) {
  const { from, item } = unwrapped(wrapped);
  // Isolated: a name from right to left does not turn what follows.
  return from === undefined ? plainText(item) : `\u2068${tidy(from, MaxNameGraphemes)}\u2069: ${plainText(item)}`;
}

/** An item's text, or its JSON if it is of another shape. */
function plainText(item) {
  if (typeof item === "string")
    return tidy(item);
  if (typeof item?.text === "string")
    return tidy(item.text);
  return tidy(JSON.stringify(item) ?? "");
}

function tidy(raw, most = MaxGraphemes) {
  // Cut first, so that a long message costs no more than a short one.
  const text = raw.slice(0, MaxUnits).replace(Breaks, " ").replace(Invisible, "").replace(Stacked, "$1").replace(/\s+/gu, " ").trim();
  if (text.length === 0)
    return "(empty)";
  const short = firstGraphemes(text, most);
  return short.length < text.length || raw.length > MaxUnits ? short + "…" : short;
}

function firstGraphemes(text, most) {
  if (text.length <= most)
    return text.toWellFormed?.() ?? text;
  let length = 0;
  let count = 0;
  for (const part of graphemes?.segment(text) ?? Array.from(text)) {
    if (count++ === most)
      break;
    length += (part.segment ?? part).length;
  }
  const short = text.slice(0, length);
  return short.toWellFormed?.() ?? short;
}
