// The last words of direct rooms, for their list. Those of the open room come with its events; others are fetched when shown.

import { get } from './api.js';
import { listen } from './live.js';
import { onConfirmed } from './outbox.js';
import { changed, fetchRoom, state } from './store.js';

const AT_ONCE = 2;
/** A failed request is made again when so much time has passed. */
const AGAIN_MS = 30000;
/** Nobody tells of edits and deletions in rooms that are not open: words older than this are asked for again when the page is looked at. */
const FRESH_MS = 10000;
/** So much of a message is kept. */
const MOST_HTML = 4000;

/** By room: `{id, creator_id, created_at, kind, html, attachment, at, isOld}`, the newest message that is known, and since when. */
const known = new Map();
/** By room: the message that was asked for last, `{id, at}`. */
const asked = new Map();
let wanted = [];
let underWay = 0;

/** The last message of a direct room as far as it is known; it is asked for if it is another one. */
export function lastWords(room) {
  const found = known.get(room.id);
  const { last_message_id: id } = room;
  if (!id) return undefined;
  if (found?.id === id && !found.isOld) return found;
  const before = asked.get(room.id);
  if (found?.isOld || before?.id !== id || Date.now() - before.at > AGAIN_MS) {
    if (found) found.isOld = false;
    asked.set(room.id, { id, at: Date.now() });
    wanted = [...wanted.filter((other) => other.room !== room.id), { room: room.id, id }];
    ask();
  }
  // The one before is not the last any more.
  return found && found.id > id ? undefined : found;
}

async function ask() {
  if (underWay >= AT_ONCE || !wanted.length) return;
  const { room, id } = wanted.shift();
  underWay += 1;
  try {
    note(await get(`/api/messages/${id}`));
  } catch (problem) {
    if (problem.status === 404) isGone(room, id);
  } finally {
    underWay -= 1;
  }
  ask();
}

/** It was deleted; the room says which one is the newest now. */
function isGone(room, id) {
  if (known.get(room)?.id === id) known.delete(room);
  if (state.rooms.get(room)?.last_message_id === id) fetchRoom(room);
  changed('words');
}

/** A message that is as new as the one that is known takes its place. */
function note(message) {
  const { id, room_id: room, creator_id, created_at, kind, content, html, attachment } = message;
  if (state.rooms.get(room)?.kind !== 'direct' || known.get(room)?.id > id) return;
  known.set(room, { id, room_id: room, creator_id, created_at, kind, content: kind === 'sound' ? content : '', html: (html || '').slice(0, MOST_HTML), attachment: attachment && { filename: attachment.filename }, at: Date.now(), isOld: false });
  changed('words');
}

listen((event) => {
  if (event.type === 'message.created') note(event.message);
  else if (event.type === 'message.updated' && known.get(event.message.room_id)?.id === event.message.id) note(event.message);
  else if ((event.type === 'message.deleted' || event.type === 'unread_gone') && known.get(event.room_id)?.id === event.message_id) known.delete(event.room_id);
  else if (event.type === 'back') lookAgain();
  else if (event.isOther) {
    known.clear();
    asked.clear();
  }
});

onConfirmed(note);

/** Draws the list anew, which asks for what is old. */
function lookAgain() {
  const old = [...known.values()].filter(({ at }) => Date.now() - at > FRESH_MS);
  for (const words of old) words.isOld = true;
  if (old.length) changed('words');
}

document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && lookAgain());
