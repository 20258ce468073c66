// Remembers the last messages of visited rooms, so that they are shown at once on return.

const ROOMS = 20;
const MESSAGES = 50;

/** By room id, the last visited at the end: `{page, seq, place}`. */
const rooms = new Map();

/** Remembers what a room shows. `seq` is the last event that is in it. */
export function remember(roomId, timeline, seq) {
  const { list, place } = timeline;
  rooms.delete(roomId);
  // Later events can be added only to the newest messages.
  const messages = timeline.hasAfter ? [] : list.messages.slice(-MESSAGES);
  rooms.set(roomId, { page: { messages, has_before: timeline.hasBefore || list.entries.length > messages.length, has_after: timeline.hasAfter }, seq, place });
  if (rooms.size > ROOMS) rooms.delete(rooms.keys().next().value);
}

export function remembered(roomId) {
  return rooms.get(roomId);
}

/** After a resync, what is remembered may be wrong. */
export function forgetRooms() {
  rooms.clear();
}
