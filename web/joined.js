// Who joined when, for the lines in the first open room. No message says it: it is counted from the users themselves.

import { isolated } from './format.js';
import { state } from './store.js';
import { texts } from './texts.js';

/** Names in one line; the others are counted. */
const NAMED = 3;

let sorted = [];
let of = null;
let size = 0;

/** Users who are people, by the time when they joined. */
function byTime() {
  if (of !== state.users || size !== state.users.size) {
    of = state.users;
    size = of.size;
    sorted = [...of.values()].filter((user) => user.role !== 'bot' && user.created_at).map(({ id, created_at: at }) => ({ id, at: Date.parse(at) })).sort((a, b) => a.at - b.at);
  }
  return sorted;
}

/** The room in which it is said: the one that everybody has been in from the beginning. */
function firstRoom() {
  let first = null;
  for (const room of state.rooms.values()) if (room.kind === 'open' && (!first || room.id < first.id)) first = room;
  return first;
}

/** The place of the first who joined after this time. */
function placeAfter(people, time) {
  let low = 0;
  let high = people.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (people[middle].at > time) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** `between(from, to)` for a room: what is said of those who joined between two times in milliseconds; empty if there are none. */
export function joinsOf(roomId) {
  return (from, to = Infinity) => {
    const room = firstRoom();
    if (room?.id !== roomId) return '';
    const made = Date.parse(room.created_at);
    // Messages from before the room were brought along from elsewhere, and so were their people.
    if (from && from < made) return '';
    const people = byTime();
    // Whoever was there before the room has not joined it.
    const begin = placeAfter(people, Math.max(from, made));
    const joined = people.slice(begin, placeAfter(people, to)).map(({ id }) => state.users.get(id)).filter((user) => user && user.status === 'active');
    if (!joined.length) return '';
    const names = joined.slice(0, NAMED).map((user) => isolated(user.name));
    return texts.room.joined(texts.message.listed(joined.length > NAMED ? [...names, texts.room.otherPeople(joined.length - NAMED)] : names));
  };
}
