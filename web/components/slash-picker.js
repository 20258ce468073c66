// Completion of sounds after `/` at the start of a message.

import { h } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';
import { allSounds, playSound } from './sounds.js';

export function slashSource() {
  return {
    most: 40,
    label: () => texts.composer.sounds,
    hint: () => texts.composer.soundsHint,
    match(before) {
      const found = /^\/([a-z]*)(\s[\p{L}-]*)?$/iu.exec(before);
      return found && { from: 0, word: before.slice(1).toLowerCase().replace(/\s/, ' ') };
    },
    async find(word) {
      const wanted = word.startsWith('play ') ? word.slice(5) : 'play'.startsWith(word) ? '' : word;
      const sounds = await allSounds();
      // A complete command needs no list: Enter sends it.
      if (sounds.some((sound) => `play ${sound.name}` === word)) return [];
      return sounds.filter((sound) => sound.name.startsWith(wanted) || sound.title.toLowerCase().startsWith(wanted));
    },
    draw: (sound) => [h('span', { class: 'picker-sign' }, sound.emoji), h('span', { class: 'picker-name', dir: 'ltr' }, `/play ${sound.name}`), h('small', {}, sound.title),
      // Mouse only: the arrow key does the same, and an option may not contain a button.
      h('span', { class: 'picker-preview', 'aria-hidden': 'true', title: texts.composer.listen, onclick: (event) => { event.stopPropagation(); playSound(sound.name, { wanted: true }); } }, icon('sound'))],
    text: (sound) => `/play ${sound.name}`,
    preview: (sound) => playSound(sound.name, { wanted: true }),
  };
}
