// Completion of mentions after `@`: the people of the room by the beginning of any word of their names, and everybody.

import { h } from '../dom.js';
import { labelFor } from '../mentions.js';
import { icon } from '../icons.js';
import { plain } from '../match.js';
import { state } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';

/** Whether the name has consecutive words that begin with what was typed. */
export function begins(name, wanted) {
  const words = plain(name).split(/[\s\-_.,()[\]]+/).filter(Boolean);
  const typed = plain(wanted);
  return words.some((_, place) => words.slice(place).join(' ').startsWith(typed));
}

/** `members()` are the users who can be mentioned, the most recent writers first; `names` gets the user id of each label. */
export function mentionSource(room, members, names) {
  const everyone = () => (room.kind === 'direct' ? [] : [{ word: 'here', why: texts.composer.here }, { word: 'room', why: texts.composer.everyone }]);
  return {
    label: () => texts.composer.people,
    match(before) {
      const found = /(?:^|[\s(>"'*_~„“])@([\p{L}\p{N}\p{M}_.'’-]*(?: [\p{L}\p{N}\p{M}_.'’-]+)?)$/u.exec(before.slice(-80));
      return found && { from: before.length - found[1].length - 1, word: found[1] };
    },
    find(word) {
      const people = members().filter((user) => user.id !== state.me.id && begins(user.name, word));
      // In "@Mara said" the mention is complete: do not suggest it again.
      if (people.length && people.every((user) => `@${user.name}` in names() && plain(user.name) === plain(word))) return [];
      const all = everyone().filter((entry) => entry.word.startsWith(word.toLowerCase()));
      return word ? [...people, ...all] : [...people.slice(0, 6), ...all];
    },
    draw: (item) => (item.word
      ? [h('span', { class: 'picker-sign' }, icon(item.word === 'here' ? 'person' : 'people')), h('span', { class: 'picker-name', dir: 'ltr' }, `@${item.word}`), h('small', {}, item.why)]
      : [avatar(item, { size: 'tiny', online: state.online.has(item.id) }), h('span', { class: 'picker-name', dir: 'auto' }, item.name),
        item.role === 'bot' ? h('small', {}, texts.composer.bot) : null].filter(Boolean)),
    text: (item) => `${item.word ? `@${item.word}` : labelFor(item, names())} `,
  };
}
