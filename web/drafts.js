// Drafts: unsent text by room and user, kept across reloads.

import { state } from './store.js';

const key = (roomId) => `campfire.draft.${state.me?.id}.${roomId}`;

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
    if (text || reply) localStorage.setItem(key(roomId), JSON.stringify({ text, names, reply }));
    else localStorage.removeItem(key(roomId));
  } catch {
    // Without storage a draft lives as long as the page.
  }
}
