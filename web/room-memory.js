// The last messages of rooms that were open: they are there at once when one comes back.

const ROOMS = 20;
const MESSAGES = 50;

/** By room, the one that was open last at the end: `{page, seq, place}`. */
const rooms = new Map();

/** Keeps what a room shows. `seq` is the last event that is in it. */
export function remember(roomId, timeline, seq) {
  const { list, place } = timeline;
  rooms.delete(roomId);
  // Without the newest messages there is nothing that what comes later could be added to.
  const messages = timeline.hasAfter ? [] : list.messages.slice(-MESSAGES);
  rooms.set(roomId, { page: { messages, has_before: timeline.hasBefore || list.entries.length > messages.length, has_after: timeline.hasAfter }, seq, place });
  if (rooms.size > ROOMS) rooms.delete(rooms.keys().next().value);
}

export function remembered(roomId) {
  return rooms.get(roomId);
}

/** What is known of them may be wrong. */
export function forgetRooms() {
  rooms.clear();
}
