// What was begun in each room, across reloads.

const key = (roomId) => `campfire.draft.${roomId}`;

export function draftOf(roomId) {
  try {
    return localStorage.getItem(key(roomId)) || '';
  } catch {
    return '';
  }
}

export function keepDraft(roomId, text) {
  try {
    if (text) localStorage.setItem(key(roomId), text);
    else localStorage.removeItem(key(roomId));
  } catch {
    // Without storage a draft lives as long as the page.
  }
}
