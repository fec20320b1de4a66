// The room in the page's address: #room=NAME.

/** The room of a page whose address names none. The page publishes by itself only here. */
export const HomeRoom = "live";

const MaxBytes = 128;

/** @returns {string | null} The room that the address names, good or bad. */
export function roomInAddress() {
  return new URLSearchParams(location.hash.slice(1)).get("room");
}

/** Names the room in the address. A page that only shows its own room keeps the short address. */
export function putRoomIntoAddress(room) {
  if (room === (roomInAddress() ?? HomeRoom))
    return;
  history.pushState(null, "", "#room=" + encodeURIComponent(room));
}

/**
 * The rules of docs/protocol.md for a room's name.
 * @returns {string | null} What is wrong with it, or null.
 */
export function problemOf(room) {
  const bytes = new TextEncoder().encode(room).length;
  if (bytes === 0)
    return "Type the name of a room.";
  if (bytes > MaxBytes)
    return `A room's name has at most ${MaxBytes} bytes; this one has ${bytes}.`;
  if (/\p{Cc}/u.test(room))
    return "A room's name has no control characters.";
  if (!room.isWellFormed?.() && /\p{Cs}/u.test(room))
    return "This name is not valid Unicode text.";
  if (room.includes("/"))
    return "A room's name has no slash.";
  if (room === "." || room === "..")
    return "A room is not called . or ..";
  return null;
}
