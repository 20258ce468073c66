// Completion of mentions after `@`: the people of the room by the beginning of any word of their names, and everybody.

import { h } from '../dom.js';
import { labelFor } from '../mentions.js';
import { icon } from '../icons.js';
import { beginsWithin, plain, rankOf } from '../match.js';
import { state } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';

/** So much before the caret is looked at. */
const LOOKED_AT = 120;

/**
 * What is typed after an `@`, or after the one of full width on Japanese and Chinese keyboards. Behind a Latin, Greek or Cyrillic
 * letter, a digit or `_` the sign is within a word: an e-mail address, perhaps. A name may have spaces, those of full width too.
 */
const TYPED = /(?:^|[^\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{N}_.+/\\@＠-])[@＠]((?:[^\s@＠()[\]{}<>"“”„«»,;:!?]+(?:[ \u00A0\u3000][^\s@＠()[\]{}<>"“”„«»,;:!?]+){0,3})?)$/u;

/** Where a mention begins in the text before the caret, and what is typed of it. */
export function typedMention(before) {
  const found = TYPED.exec(before.slice(-LOOKED_AT));
  return found && { from: before.length - found[1].length - 1, word: found[1] };
}

/** The people whom this means, the name itself first, then whole words of names; otherwise in the order given. */
export function found(people, word) {
  return people.filter((user) => beginsWithin(user.name, word))
    .map((user, place) => ({ user, place, rank: rankOf(user.name, word) }))
    .sort((a, b) => a.rank - b.rank || a.place - b.place).map(({ user }) => user);
}

/** `members()` are the users who can be mentioned, the most recent writers first; `names` gets the user id of each label. */
export function mentionSource(room, members, names) {
  const everyone = () => (room.kind === 'direct' ? [] : [{ word: 'here', why: texts.composer.here }, { word: 'room', why: texts.composer.everyone }]);
  return {
    label: () => texts.composer.people,
    match: typedMention,
    find(word) {
      const people = found(members().filter((user) => user.id !== state.me.id), word);
      // In "@Mara said" the mention is complete: do not suggest it again.
      if (people.length && people.every((user) => `@${user.name}` in names() && plain(user.name) === plain(word))) return [];
      const all = everyone().filter((entry) => entry.word.startsWith(word.normalize('NFKC').toLowerCase()));
      return word ? [...people, ...all] : [...people.slice(0, 6), ...all];
    },
    draw: (item) => (item.word
      ? [h('span', { class: 'picker-sign' }, icon(item.word === 'here' ? 'person' : 'people')), h('span', { class: 'picker-name', dir: 'ltr' }, `@${item.word}`), h('small', {}, item.why)]
      : [avatar(item, { size: 'tiny', online: state.online.has(item.id) }), h('span', { class: 'picker-name', dir: 'auto', translate: 'no' }, item.name),
        item.role === 'bot' ? h('small', {}, texts.composer.bot) : null].filter(Boolean)),
    text: (item) => `${item.word ? `@${item.word}` : labelFor(item, names())} `,
  };
}
