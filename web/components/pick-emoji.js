// Opens the emoji picker, which is loaded on demand.

import { fill, h } from '../dom.js';
import { lazy } from '../lazy.js';
import { language, texts } from '../texts.js';
import { openPopover } from './menu.js';

/** Words for emoji in another language: `{sign: [word, …]}`. */
async function moreWords() {
  if (language() !== 'de') return {};
  const { germanWords } = await import('../texts/emoji-de.js');
  return germanWords();
}

/** `{list, words}`: the emoji, and their words in the user's language. */
export async function loadEmoji() {
  const [list, words] = await Promise.all([import('../emoji.js'), moreWords().catch(() => ({}))]);
  return { list, words };
}

/** Opens the picker beside a button; `onpick` gets the chosen emoji. Returns a function that closes it. */
export function pickEmoji(anchor, onpick) {
  const place = h('div', { class: 'emoji-picker is-coming', 'aria-busy': 'true' }, h('div', { class: 'emoji-search skeleton' }), h('div', { class: 'emoji-scroll' }));
  const close = openPopover(anchor, () => place, { label: texts.emoji.title, kind: 'popover-emoji' });
  lazy(() => Promise.all([import('./emoji-picker.js'), loadEmoji()])).then(([{ emojiPicker }, { list, words }]) => {
    if (!place.isConnected) return;
    const { parts, focus } = emojiPicker(list, words, (sign) => {
      close();
      onpick(sign);
    });
    place.classList.remove('is-coming');
    place.removeAttribute('aria-busy');
    fill(place, parts);
    focus();
  }, () => close());
  return close;
}
