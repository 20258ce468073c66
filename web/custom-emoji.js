// Emoji of the team's own: `:name:` in messages and boosts is shown as a picture. The stored texts keep the name.

import { get } from './api.js';
import { h } from './dom.js';
import { changed, state, watch } from './store.js';

/** Parts of a text that says literally what it says. */
const LITERAL = 'code, pre, .code-frame, .message-edited';
const NAMED = /:([\p{L}\p{N}_+-]{1,64})(?=:)/gu;
/** A text with nothing but so many of them shows them large. */
const MOST_LARGE = 6;

/** Addresses by name. */
let known = new Map();
let version = null;

watch(['account'], async () => {
  const wanted = state.account?.emoji_version || null;
  if (wanted === version) return;
  version = wanted;
  try {
    const { emoji } = wanted ? await get('/api/emoji') : { emoji: [] };
    // Another may have been asked for meanwhile.
    if (version === wanted) take(emoji);
  } catch {
    // The next session or change of the account asks again.
    if (version === wanted) version = null;
  }
});

function take(emoji) {
  known = new Map(emoji.map(({ name, url }) => [name, url]));
  for (const picture of document.querySelectorAll('img.emoji')) {
    const url = known.get(picture.alt.slice(1, -1));
    if (url) picture.src = url;
    else picture.replaceWith(picture.alt);
  }
  document.querySelectorAll('.message-text').forEach(showEmoji);
  document.querySelectorAll('[data-boost] > span[dir]').forEach((part) => part.replaceChildren(...partsOf(part.textContent || part.firstChild?.alt || '')));
  changed('emoji');
}

/** All of them: `[{sign, name, url}]`. */
export const customEmoji = () => [...known].map(([name, url]) => ({ sign: `:${name}:`, name, words: [], toned: false, url }));

export const emojiPicture = (name, url) => h('img', { class: 'emoji', src: url, alt: `:${name}:`, title: `:${name}:`, draggable: 'false' });

/** A text in pieces: strings, and `{name}` for each name between colons that `isKnown`. */
export function pieces(text, isKnown) {
  const found = [];
  let from = 0;
  for (const { 0: { length }, 1: name, index } of text.matchAll(NAMED)) {
    // A colon that ends one name begins no other.
    if (index < from || !isKnown(name)) continue;
    if (index > from) found.push(text.slice(from, index));
    found.push({ name });
    from = index + length + 1;
  }
  if (from < text.length) found.push(text.slice(from));
  return found;
}

/** A text, with pictures for the names in it. */
export const partsOf = (text) => pieces(text, (name) => known.has(name)).map((piece) => (piece.name ? emojiPicture(piece.name, known.get(piece.name)) : piece));

/** Puts pictures into an element for the names in its texts. */
export function showEmoji(element) {
  if (!known.size || !element.textContent.includes(':')) return element;
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { currentNode: node } = texts;
    if (node.data.includes(':') && !node.parentElement?.closest(LITERAL)) found.push(node);
  }
  for (const node of found) {
    const parts = partsOf(node.data);
    if (parts.some((part) => typeof part !== 'string')) node.replaceWith(...parts);
  }
  const pictures = element.querySelectorAll('img.emoji').length;
  if (pictures && pictures <= MOST_LARGE && !element.textContent.trim()) element.classList.add('is-emoji-only');
  return element;
}
