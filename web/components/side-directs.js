// Direct rooms as pictures of their people, the most recent first, then users without one yet.

import { fill, h, heard, iconButton } from '../dom.js';
import { icon } from '../icons.js';
import { compareNames, firstName } from '../format.js';
import { directsInOrder, isUnread, roomHere } from '../rooms.js';
import { others, roomName, state } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';
import { pingSomebody, startDirect } from './new-conversation.js';
import { Kept, reconcile } from './reconcile.js';
import { sideSection } from './side-section.js';

const PLACEHOLDERS = 20;
/** Two rows of four; the last cell opens the rest. */
const SHOWN = 8;

/** `{element, draw(topics)}`. */
export function directsSection() {
  const list = h('ul', { class: 'directs' });
  const alone = h('div', { class: 'side-empty', hidden: true }, h('p', {}, texts.side.alone),
    state.me.role === 'admin' ? h('a', { href: '/settings/invite' }, icon('invite'), texts.side.invite) : null);
  const kept = new Kept();
  let all = false;
  let strangers = [];
  let strangersOf = '';

  const section = sideSection('directs', texts.side.directs, h('div', {}, list, alone), {
    action: iconButton('plus', texts.people.ping, pingSomebody, { class: 'icon-button new-ping' }),
    onfold: () => draw([]),
  });
  const more = h('li', {}, h('button', { type: 'button', class: 'direct direct-more', onclick: () => {
    all = !all;
    draw([]);
  } }));

  /** Users one has not written to yet, as far as there is space. */
  function placeholders(directs, topics) {
    const partners = directs.flatMap((room) => room.member_ids).join();
    if (!topics.includes('users') && partners === strangersOf) return strangers;
    strangersOf = partners;
    const met = new Set(directs.flatMap((room) => room.member_ids));
    met.add(state.me.id);
    strangers = [...state.users.values()].filter((user) => user.status === 'active' && user.role !== 'bot' && !met.has(user.id))
      .sort((a, b) => compareNames(a.name, b.name)).slice(0, Math.max(0, PLACEHOLDERS - directs.length));
    return strangers;
  }

  function draw(topics) {
    const directs = directsInOrder();
    const here = roomHere();
    const entries = section.folded ? directs.filter(isUnread).map((room) => directEntry(room, here))
      : [...directs.map((room) => directEntry(room, here)), ...placeholders(directs, topics).map(placeholderEntry)];
    const isCut = entries.length > SHOWN;
    const shown = isCut && !all ? entries.slice(0, SHOWN - 1) : entries;
    const elements = kept.of(shown);
    if (isCut) {
      const hidden = entries.length - shown.length;
      fill(more.firstElementChild, h('span', { class: 'avatar avatar-medium avatar-more', 'aria-hidden': 'true' }, all ? icon('up') : `+${hidden}`),
        h('span', { class: 'direct-name', 'aria-hidden': 'true' }, all ? texts.side.less : texts.side.moreShort), heard(all ? texts.side.less : texts.side.more(hidden)));
      more.firstElementChild.setAttribute('aria-expanded', String(all));
      elements.push(more);
    }
    reconcile(list, elements);
    list.hidden = elements.length === 0;
    alone.hidden = section.folded || elements.length > 0;
  }

  return { element: section.element, draw };
}

function directEntry(room, here) {
  const people = others(room);
  const isHere = room.id === here;
  const unread = isUnread(room);
  const isOnline = people.some((user) => user.id !== state.me.id && state.online.has(user.id));
  const name = people[0].id === state.me.id ? texts.side.yourself : roomName(room);
  const faces = people.slice(0, 2).map((user) => `${user.id}${user.name}${user.avatar_url || ''}`).join();
  return {
    key: `room-${room.id}`,
    signature: [name, faces, isHere, unread, isOnline, people.length].join('|'),
    make: () => h('li', {}, h('a', { href: `/rooms/${room.id}` })),
    update: (line) => {
      const link = line.firstElementChild;
      link.className = `direct${unread ? ' is-unread' : ''}${isHere ? ' is-here' : ''}`;
      link.title = name;
      if (isHere) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
      fill(link, face(people, isOnline, unread), h('span', { class: 'direct-name', 'aria-hidden': 'true' }, shortName(people)),
        heard([name, isOnline ? texts.side.online : '', unread ? texts.side.unread : ''].filter(Boolean).join(', ')));
    },
  };
}

function face(people, isOnline, unread) {
  const dot = unread ? h('span', { class: 'direct-dot' }) : null;
  if (people.length === 1) return h('span', { class: 'direct-face' }, avatar(people[0], { online: isOnline }), dot);
  return h('span', { class: 'direct-face direct-faces' }, avatar(people[0], { size: 'tiny' }), avatar(people[1], { size: 'tiny' }), dot);
}

function shortName(people) {
  if (people[0].id === state.me.id) return texts.side.notes;
  const first = firstName(people[0].name);
  return people.length > 1 ? `${first} +${people.length - 1}` : first;
}

function placeholderEntry(user) {
  return {
    key: `person-${user.id}`,
    signature: `${user.name}${user.avatar_url || ''}`,
    make: () => h('li', {}, h('button', { type: 'button', class: 'direct is-placeholder', onclick: () => startDirect([user.id]) })),
    update: (line) => {
      line.firstElementChild.title = texts.side.notYet(user.name);
      fill(line.firstElementChild, h('span', { class: 'direct-face' }, avatar(user)), h('span', { class: 'direct-name', 'aria-hidden': 'true' }, firstName(user.name)), heard(texts.side.notYet(user.name)));
    },
  };
}
