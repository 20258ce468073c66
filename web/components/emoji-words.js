// Completion of emoji after `:` and two letters of a name.

import { customEmoji, emojiPicture } from '../custom-emoji.js';
import { h } from '../dom.js';
import { loadEmoji } from './pick-emoji.js';
import { texts } from '../texts.js';

export function emojiSource() {
  return {
    label: () => texts.emoji.title,
    match(before) {
      const found = /(?:^|[\s(])(:[\p{L}\d+-][\p{L}\d_+-]+:?)$/u.exec(before.slice(-40));
      return found && { from: before.length - found[1].length, word: found[1] };
    },
    async find(word) {
      const { list, words } = await loadEmoji();
      const own = list.findEmoji(word, {}, customEmoji()).map((entry) => ({ ...entry, called: entry.sign }));
      return [...own, ...list.findEmoji(word, words).map((entry) => ({ ...entry, called: words[entry.sign]?.[0] || entry.name.replaceAll('_', ' ') }))];
    },
    draw: (entry) => [h('span', { class: 'picker-sign' }, entry.url ? emojiPicture(entry.name, entry.url) : entry.sign), h('span', { class: 'picker-name' }, entry.called)],
    text: (entry) => `${entry.sign} `,
  };
}
