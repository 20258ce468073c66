// The people of a room, opened by a click on its head.

import { fill, h } from '../dom.js';
import { compareNames } from '../format.js';
import { membersOf, onlyPosts } from '../members.js';
import { person, state } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';
import { openPopover } from './menu.js';
import { peopleList } from './people.js';
import { openProfile } from './profile-card.js';

/** With more people, a filter is shown. */
const SEARCHED_FROM = 10;

const isHere = (room, id) => (room.kind === 'direct' ? state.online.has(id) : Boolean(state.present.get(room.id)?.has(id))) || id === state.me.id;

export function openRoomPeople(anchor, room) {
  const place = h('div', { class: 'room-people', 'aria-busy': 'true' }, [1, 2, 3].map(() => h('div', { class: 'skeleton room-person-coming' })));
  openPopover(anchor, () => place, { label: texts.room.people, kind: 'popover-people' });
  membersOf(room).then((members) => {
    place.removeAttribute('aria-busy');
    const people = members.filter((user) => !onlyPosts(user)).sort((a, b) => isHere(room, b.id) - isHere(room, a.id) || compareNames(a.name, b.name));
    const draw = (user) => h('button', { type: 'button', class: 'person', onclick: () => openProfile(user.id, anchor) }, line(room, user));
    fill(place, people.length >= SEARCHED_FROM ? peopleList(people, draw) : h('ul', { class: 'people' }, people.map((user) => h('li', {}, draw(user)))));
    (place.querySelector('.filter') || place.querySelector('button'))?.focus();
  }, (problem) => fill(place, h('p', { class: 'form-error' }, problem.message)));
}

function line(room, user) {
  const standing = user.id === state.me.id ? texts.common.you : isHere(room, user.id) ? (room.kind === 'direct' ? texts.room.online : texts.room.readingNow) : { bot: texts.people.bot, guest: texts.people.guest }[user.role] || null;
  return [avatar(user, { size: 'small', online: isHere(room, user.id) }), h('span', { class: 'person-name' }, h('bdi', { translate: 'no' }, user.name), standing ? h('small', {}, standing) : null)];
}
