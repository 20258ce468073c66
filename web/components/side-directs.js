// Direct messages: the conversations with their last words, the most recent first, then users whom one has not written to yet.

import { fill, h, heard, iconButton, onPhone } from '../dom.js';
import { draftOf, hasDraft } from '../drafts.js';
import { compareNames, cut, firstName, fullTime, shortTime } from '../format.js';
import { icon } from '../icons.js';
import { lastWords } from '../last-words.js';
import { mayInvite } from '../rights.js';
import { callsIn, directsInOrder, isQuiet, isUnread, roomHere } from '../rooms.js';
import { others, person, roomName, state } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';
import { pingSomebody, startDirect } from './new-conversation.js';
import { summary } from './quote.js';
import { Kept, reconcile } from './reconcile.js';
import { sideSection } from './side-section.js';

/** Conversations and placeholders together, where all are shown. */
const PLACEHOLDERS = 20;
/** A row of faces. */
const FACES = 4;
const WORDS = 80;

/** Conversations before "More"; beside a room the rooms should not be far below. */
const shownAtFirst = () => (onPhone() ? 12 : 5);

/** `{element, draw(topics)}`. */
export function directsSection() {
  const list = h('ul', { class: 'directs' });
  const faces = h('ul', { class: 'strangers', 'aria-label': texts.side.strangers });
  const alone = h('div', { class: 'side-empty', hidden: true }, h('p', {}, texts.side.alone),
    mayInvite() ? h('a', { href: '/settings/invite' }, icon('invite'), texts.side.invite) : null);
  const more = h('button', { type: 'button', class: 'directs-more', hidden: true, onclick: () => {
    all = !all;
    draw([]);
  } });
  const kept = new Kept();
  const keptFaces = new Kept();
  let all = false;
  let strangers = [];
  let strangersOf = null;

  const section = sideSection('directs', texts.side.directs, h('div', {}, list, faces, more, alone), {
    action: iconButton('plus', texts.people.ping, pingSomebody, { class: 'icon-button new-ping' }),
    onfold: () => draw([]),
  });

  /** Users without a conversation of their own, as far as there is space. One of several people is none of their own. */
  function placeholders(directs, topics) {
    const partners = directs.filter((room) => room.member_ids.length <= 2).flatMap((room) => room.member_ids).join();
    if (!topics.includes('users') && partners === strangersOf) return strangers;
    strangersOf = partners;
    const met = new Set(partners.split(',').map(Number)).add(state.me.id);
    strangers = [...state.users.values()].filter((user) => user.status === 'active' && user.role !== 'bot' && !met.has(user.id))
      .sort((a, b) => compareNames(a.name, b.name)).slice(0, Math.max(0, PLACEHOLDERS - directs.length));
    return strangers;
  }

  function draw(topics) {
    const directs = directsInOrder();
    const here = roomHere();
    const most = shownAtFirst();
    const isShown = (room, place) => (section.folded ? isUnread(room) : all || place < most || isUnread(room) || room.id === here);
    const shown = directs.filter(isShown);
    reconcile(list, kept.of(shown.map((room) => directEntry(room, here))));
    const unknown = section.folded ? [] : placeholders(directs, topics);
    const shownFaces = all ? unknown : unknown.slice(0, Math.max(0, Math.min(FACES * (onPhone() ? 2 : 1), most - shown.length)));
    reconcile(faces, keptFaces.of(shownFaces.map(placeholderEntry)));
    const hidden = directs.length - shown.length + unknown.length - shownFaces.length;
    more.hidden = section.folded || (!all && hidden === 0) || directs.length + unknown.length <= most;
    fill(more, icon(all ? 'up' : 'down'), all ? texts.side.less : texts.side.more(hidden));
    more.setAttribute('aria-expanded', String(all));
    list.hidden = shown.length === 0;
    faces.hidden = shownFaces.length === 0;
    alone.hidden = section.folded || directs.length + unknown.length > 0;
  }

  return { element: section.element, draw };
}

/** What is said last, or the draft. */
function wordsOf(room, isHere) {
  const { text } = !isHere && hasDraft(room.id) ? draftOf(room.id) : { text: '' };
  if (text) return { words: text.trim().replace(/\s+/g, ' ').slice(0, WORDS), kind: 'draft' };
  const last = lastWords(room);
  if (!last) return { words: '', kind: '' };
  const said = last.kind === 'sound' ? last.content : cut(summary(last), WORDS);
  const who = last.creator_id === state.me.id ? texts.common.youStart : room.member_ids.length > 2 ? firstName(person(last.creator_id).name) : '';
  return { words: who ? texts.side.saidBy(who, said) : said, kind: '', at: last.created_at };
}

function directEntry(room, here) {
  const people = others(room);
  const isHere = room.id === here;
  const unread = isUnread(room);
  const calls = callsIn(room);
  const isOnline = people.some((user) => user.id !== state.me.id && state.online.has(user.id));
  const name = people[0].id === state.me.id ? texts.side.yourself : roomName(room);
  const { words, kind, at } = wordsOf(room, isHere);
  const when = at ? shortTime(new Date(at)) : '';
  const faces = people.slice(0, 2).map((user) => `${user.id}${user.name}${user.avatar_url || ''}`).join();
  return {
    key: room.id,
    signature: [name, faces, isHere, unread, calls, isOnline, people.length, words, kind, when, isQuiet(room)].join('|'),
    make: () => h('li', {}, h('a', { href: `/rooms/${room.id}` })),
    update: (line) => {
      const link = line.firstElementChild;
      link.className = `direct${unread ? ' is-unread' : ''}${isHere ? ' is-here' : ''}`;
      link.title = name;
      if (isHere) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
      fill(link, face(people, isOnline),
        h('span', { class: 'direct-main' },
          h('span', { class: 'direct-top' }, h('bdi', { class: 'direct-name', translate: 'no' }, name), isOnline ? heard(`, ${texts.side.online}`) : null,
            isQuiet(room) ? [icon('bellOff'), heard(`, ${texts.side.quiet}`)] : null, at ? h('time', { datetime: at, title: fullTime(new Date(at)) }, when) : null),
          h('span', { class: 'direct-bottom' }, kind === 'draft' ? h('span', { class: 'is-draft' }, texts.side.draft) : null, h('bdi', { class: 'direct-words' }, words), count(unread, calls))));
    },
  };
}

function count(unread, calls) {
  if (calls > 0) return [h('span', { class: 'badge', 'aria-hidden': 'true' }, calls > 99 ? '99+' : calls), heard(`, ${texts.side.newMessages(calls)}`)];
  return unread ? [h('span', { class: 'dot' }), heard(`, ${texts.side.unread}`)] : null;
}

function face(people, isOnline) {
  if (people.length === 1) return h('span', { class: 'direct-face' }, avatar(people[0], { online: isOnline }));
  return h('span', { class: 'direct-face direct-faces' }, avatar(people[0], { size: 'tiny' }), avatar(people[1], { size: 'tiny' }));
}

function placeholderEntry(user) {
  return {
    key: user.id,
    signature: `${user.name}${user.avatar_url || ''}`,
    make: () => h('li', {}, h('button', { type: 'button', class: 'stranger', onclick: () => startDirect([user.id]) })),
    update: (line) => {
      line.firstElementChild.title = texts.side.notYet(user.name);
      fill(line.firstElementChild, avatar(user), h('span', { class: 'stranger-name', 'aria-hidden': 'true', translate: 'no' }, firstName(user.name)), heard(texts.side.notYet(user.name)));
    },
  };
}
