// Directs as faces, rooms as words.

import { fill, h, icon, iconButton } from '../dom.js';
import { firstName } from '../format.js';
import { others, roomName, state, watch } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';
import { newRoom, pingSomebody, startDirect, switcher } from './dialogs.js';

const PLACEHOLDERS = 20;

export class CampSidebar extends HTMLElement {
  connectedCallback() {
    this.className = 'side';
    this.stop = watch(['rooms', 'users', 'presence', 'account', 'me', 'route'], () => this.draw());
    this.draw();
  }

  disconnectedCallback() {
    this.stop();
  }

  draw() {
    const focused = document.activeElement?.dataset?.key;
    const visible = [...state.rooms.values()].filter((room) => room.membership.involvement !== 'invisible' || isHere(room));
    const directs = visible.filter((room) => room.kind === 'direct').sort((a, b) => (b.last_message_id || b.id) - (a.last_message_id || a.id));
    const rooms = visible.filter((room) => room.kind !== 'direct').sort((a, b) => a.name.localeCompare(b.name, undefined, { sensitivity: 'base' }));
    fill(this,
      h('header', { class: 'brand' }, h('a', { href: '/', class: 'brand-flame', 'aria-label': texts.home }, icon('flame')), h('span', { class: 'brand-name' }, state.account?.name || 'Campfire')),
      h('button', { type: 'button', class: 'jump', onclick: switcher }, h('span', {}, texts.jump), h('kbd', {}, navigator.platform.startsWith('Mac') ? '⌘K' : 'Ctrl K')),
      h('nav', { class: 'side-scroll', 'aria-label': texts.rooms },
        h('div', { class: 'directs' }, directs.map(directElement), placeholders(directs), h('button', { type: 'button', class: 'direct', onclick: pingSomebody, 'data-key': 'ping' },
          h('span', { class: 'avatar avatar-medium avatar-add' }, icon('plus')), h('span', { class: 'direct-name' }, texts.ping.split(' ')[0]))),
        h('div', { class: 'side-head' }, h('h2', {}, texts.rooms), iconButton('plus', texts.newRoom, newRoom)),
        rooms.length ? h('ul', { class: 'rooms' }, rooms.map(roomElement)) : h('p', { class: 'side-empty' }, texts.noRooms)),
      h('footer', { class: 'side-me' }, avatar(state.me, { size: 'small', online: state.connected }),
        h('a', { href: '/settings', class: 'side-me-name' }, h('span', {}, state.me.name), state.me.bio ? h('small', {}, state.me.bio) : null),
        h('a', { href: '/settings', class: 'icon-button', 'aria-label': texts.settings, title: texts.settings }, icon('gear'))));
    if (focused) this.querySelector(`[data-key="${focused}"]`)?.focus();
    showUnread(visible);
  }
}

const isHere = (room) => location.pathname.startsWith(`/rooms/${room.id}`) && /^\/rooms\/\d+(\/|$)/.test(location.pathname) && location.pathname.split('/')[2] === String(room.id);
const isUnread = (room) => room.membership.unread_count > 0;

function roomElement(room) {
  const { mention_count: mentions } = room.membership;
  const unread = isUnread(room);
  return h('li', {}, h('a', {
    href: `/rooms/${room.id}`, class: `room${unread ? ' is-unread' : ''}${isHere(room) ? ' is-here' : ''}`, 'aria-current': isHere(room) ? 'page' : null, 'data-key': `room-${room.id}`,
  }, h('span', { class: 'room-name' }, room.name), badge(unread, mentions)));
}

function badge(unread, mentions) {
  if (mentions > 0) return h('span', { class: 'badge', 'aria-label': `${mentions}` }, mentions > 99 ? '99+' : mentions);
  return unread ? h('span', { class: 'dot', 'aria-label': texts.new }) : null;
}

function directElement(room) {
  const people = others(room);
  const unread = isUnread(room);
  const name = people.length === 1 && people[0].id === state.me.id ? texts.yourself : roomName(room);
  return h('a', {
    href: `/rooms/${room.id}`, class: `direct${unread ? ' is-unread' : ''}${isHere(room) ? ' is-here' : ''}`, 'aria-current': isHere(room) ? 'page' : null, 'data-key': `room-${room.id}`,
    'aria-label': `${name}, ${people.some((user) => state.online.has(user.id)) ? texts.online : texts.offline}${unread ? `, ${texts.new}` : ''}`, title: name,
  },
  h('span', { class: 'direct-face' }, avatar(people[0], { online: people.some((user) => state.online.has(user.id)) }), unread ? h('span', { class: 'direct-dot' }) : null),
  h('span', { class: 'direct-name' }, people.length > 1 ? `${firstName(people[0].name)} +${people.length - 1}` : firstName(people[0].name)));
}

/** People one has not talked to yet, where there is room for them. */
function placeholders(directs) {
  const known = new Set(directs.flatMap((room) => room.member_ids));
  known.add(state.me.id);
  const free = [...state.users.values()].filter((user) => user.status === 'active' && !known.has(user.id)).slice(0, Math.max(0, PLACEHOLDERS - directs.length));
  return free.map((user) => h('button', { type: 'button', class: 'direct is-placeholder', title: user.name, onclick: () => startDirect([user.id]) },
    avatar(user), h('span', { class: 'direct-name' }, firstName(user.name))));
}

function showUnread(rooms) {
  const mentions = rooms.reduce((sum, room) => sum + room.membership.mention_count, 0);
  const any = rooms.some(isUnread);
  document.title = `${any ? '• ' : ''}${state.account?.name || 'Campfire'}`;
  if (mentions) navigator.setAppBadge?.(mentions).catch(() => {});
  else navigator.clearAppBadge?.().catch(() => {});
}

customElements.define('camp-sidebar', CampSidebar);
