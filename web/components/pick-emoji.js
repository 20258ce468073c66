// The way to the emoji: a panel by a button. The emoji themselves come when they are wanted.

import { fill, h } from '../dom.js';
import { lazy } from '../lazy.js';
import { language, texts } from '../texts.js';
import { openPopover } from './menu.js';

/** The words of another language by which emoji are found as well: `{sign: [word, …]}`. */
async function moreWords() {
  if (language() !== 'de') return {};
  const { germanWords } = await import('../texts/emoji-de.js');
  return germanWords();
}

/** `{list, words}`: the emoji, and what they are called in the reader's language. */
export async function loadEmoji() {
  const [list, words] = await Promise.all([import('../emoji.js'), moreWords().catch(() => ({}))]);
  return { list, words };
}

/** Opens the emoji beside a button; `onpick` is given the one that was chosen. Answers how to close it. */
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
