// Drafts: unsent text by room and user, kept across reloads. The topic `drafts` announces that a room has one, or none any more.

import { changed, state } from './store.js';

const PREFIX = 'campfire.draft.';

const key = (roomId) => `${PREFIX}${state.me?.id}.${roomId}`;

/** `{text, names, reply}`: the text, the user ids of its mentions, and the message it replies to. */
export function draftOf(roomId) {
  try {
    const kept = JSON.parse(localStorage.getItem(key(roomId)) || '{}');
    return { text: String(kept.text || ''), names: kept.names || {}, reply: kept.reply || null };
  } catch {
    return { text: '', names: {}, reply: null };
  }
}

export function keepDraft(roomId, { text, names, reply }) {
  try {
    const had = hasDraft(roomId);
    if (text || reply) localStorage.setItem(key(roomId), JSON.stringify({ text, names, reply }));
    else localStorage.removeItem(key(roomId));
    if (had !== hasDraft(roomId)) changed('drafts');
  } catch {
    // Without storage a draft lives as long as the page.
  }
}

export function hasDraft(roomId) {
  try {
    return localStorage.getItem(key(roomId)) !== null;
  } catch {
    return false;
  }
}

addEventListener('storage', ({ key: where }) => {
  if (where?.startsWith(PREFIX)) changed('drafts');
});
