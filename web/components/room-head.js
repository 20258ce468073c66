// The head of a room: its name, who is present, notifications, and a menu.

import { copyText } from '../clipboard.js';
import { h, iconButton } from '../dom.js';
import { icon } from '../icons.js';
import { atHand, lazy } from '../lazy.js';
import { peopleIn } from '../members.js';
import { mayChangeRoom, mayLeave } from '../rights.js';
import { go } from '../routes.js';
import { writeQuery } from '../search-query.js';
import { isNotes, others, person, roomName, state } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';
import { BELLS, involvementMenu } from './involvement.js';
import { openMenu } from './menu.js';

const FACES = 4;

/** The head of a room: `{element, draw}`. `draw` changes it in place, so that nothing moves or loses the focus. */
export function roomHead(roomId) {
  const room = () => state.rooms.get(roomId);
  // Isolated, so that a title of another direction stays where titles are.
  const title = h('bdi', { translate: 'no' });
  const who = h('button', { type: 'button', class: 'room-who', 'aria-haspopup': 'dialog', onclick: () => openRoomPeople(who, room()) });
  // For the mouse; the button beside it does the same for the keyboard.
  const stack = h('button', { type: 'button', class: 'stack', tabindex: -1, 'aria-hidden': 'true', onclick: () => openRoomPeople(who, room()) });
  const bell = iconButton('bell', '', () => involvementMenu(bell, room()), { class: 'icon-button bell', 'aria-haspopup': 'menu' });
  const more = iconButton('more', texts.room.menu, () => roomMenu(more, bell, room()), { 'aria-haspopup': 'menu' });
  const element = h('header', { class: 'room-head' },
    h('a', { href: '/', class: 'icon-button back', 'aria-label': texts.room.back, title: texts.room.back }, icon('back')),
    h('div', { class: 'room-title' }, h('h1', {}, title), h('p', {}, who)), stack, bell, more);
  const draw = () => drawHead(room(), { title, who, stack, bell });
  draw();
  return { element, draw };
}

function drawHead(room, { title, who, stack, bell }) {
  if (!room) return;
  write(title, titleOf(room));
  title.parentElement.title = title.textContent;
  write(who, whoIsHere(room));
  const faces = facesOf(room);
  const key = faces.map((user) => `${user.id} ${user.name} ${user.avatar_url}`).join();
  if (stack.dataset.faces !== key) {
    stack.dataset.faces = key;
    stack.replaceChildren(...faces.map((user) => avatar(user, { size: 'tiny' })));
  }
  stack.title = faces.map((user) => user.name).join(', ');
  const { involvement } = room.membership;
  if (bell.dataset.involvement === involvement) return;
  bell.dataset.involvement = involvement;
  bell.replaceChildren(icon(BELLS[involvement]));
  bell.title = texts.room.bell(texts.room.involvement[involvement]);
  bell.setAttribute('aria-label', bell.title);
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const titleOf = (room) => (isNotes(room) ? texts.room.notes : roomName(room));

function whoIsHere(room) {
  if (isNotes(room)) return texts.room.notesHint;
  if (room.kind === 'direct') {
    const people = others(room);
    const standing = { deactivated: texts.people.deactivated, banned: texts.people.banned }[people[0].status];
    if (people.length === 1) return standing || (state.online.has(people[0].id) ? texts.room.online : texts.room.offline);
    return texts.room.onlineOf(people.filter((user) => state.online.has(user.id)).length, room.member_count);
  }
  const present = new Set(state.present.get(room.id)).add(state.me.id);
  return [present.size > 1 ? texts.room.reading(present.size) : null, texts.common.people(peopleIn(room))].filter(Boolean).join(' · ');
}

function facesOf(room) {
  if (room.kind === 'direct') return isNotes(room) ? [] : others(room).slice(0, FACES);
  return [...(state.present.get(room.id) || [])].filter((id) => id !== state.me.id).slice(0, FACES).map(person);
}

const openRoomPeople = async (...given) => (await atHand()).openRoomPeople(...given);
const settings = () => lazy(() => import('./room-settings.js'));

function roomMenu(anchor, bell, room) {
  const mayChange = mayChangeRoom(room);
  const isDirect = room.kind === 'direct';
  openMenu(anchor, [
    !isDirect && { label: texts.room.settings, icon: 'gear', onclick: async () => (await settings()).openRoomSettings(room) },
    { label: texts.room.people, icon: 'people', onclick: () => openRoomPeople(anchor, room) },
    { label: texts.room.notifications, icon: BELLS[room.membership.involvement], onclick: () => involvementMenu(bell, room) },
    !isDirect && { label: texts.room.search, icon: 'search', onclick: () => go(searchHere(room)) },
    { label: texts.room.copyLink, icon: 'link', onclick: () => copyText(`${location.origin}/rooms/${room.id}`) },
    mayLeave(room) && { label: texts.room.leave, icon: 'signOut', onclick: async () => (await settings()).leaveRoom(room) },
    (isDirect || mayChange) && { label: isDirect ? texts.room.removeDirect : texts.room.remove, icon: 'trash', danger: true, onclick: async () => (await settings()).removeRoom(room) },
  ]);
}

/** The search filters rooms by name. */
const searchHere = (room) => `/search?q=${encodeURIComponent(`${writeQuery({ words: '', filters: [{ key: 'in', value: room.name }] })} `)}`;
