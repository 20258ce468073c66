// A user's profile, opened by a click on a picture or a name.

import { fill, h } from '../dom.js';
import { icon } from '../icons.js';
import { onlyPosts } from '../members.js';
import { go } from '../routes.js';
import { person, state, watch } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';
import { startDirect } from './new-conversation.js';
import { openPopover } from './menu.js';

/** Whether the user is known to be online: in a direct room, or in the room that is open. */
export function isOnline(id) {
  if (id === state.me.id) return state.connected;
  return state.online.has(id) || [...state.present.values()].some((people) => people.has(id));
}

export function openProfile(userId, anchor) {
  const card = h('div', { class: 'profile-card' });
  let stop = () => {};
  const user = person(userId);
  openPopover(anchor, (close) => {
    const draw = () => fill(card, content(person(userId), close));
    draw();
    // An unknown user is being fetched.
    stop = watch(['users', 'presence'], draw);
    return card;
  }, { label: texts.people.profileOf(user.name), kind: 'popover-profile', onclose: () => stop() });
}

function content(user, close) {
  const isMe = user.id === state.me.id;
  const online = user.status === 'active' && isOnline(user.id);
  const standing = { deactivated: texts.people.deactivated, banned: texts.people.banned }[user.status];
  const role = { admin: texts.people.admin, bot: texts.people.bot, guest: texts.people.guest }[user.role];
  const leave = (path) => () => {
    close({ focus: false });
    go(path);
  };
  return [
    avatar(user, { size: 'huge' }),
    h('h2', { class: 'profile-name', dir: 'auto', translate: 'no' }, user.name),
    h('p', { class: 'profile-about' },
      online ? h('span', { class: 'profile-online' }, texts.people.onlineNow) : null, role ? h('span', {}, role) : null, standing ? h('span', {}, standing) : null, isMe ? h('span', {}, texts.people.itsYou) : null),
    user.bio ? h('p', { class: 'profile-bio', dir: 'auto' }, user.bio) : null,
    user.email ? h('p', { class: 'profile-email' }, h('a', { href: `mailto:${user.email}`, translate: 'no' }, user.email)) : null,
    h('div', { class: 'row profile-actions' },
      user.status === 'active' && !onlyPosts(user) ? h('button', { type: 'button', class: `button ${isMe ? '' : 'button-primary'}`, onclick: () => {
        close({ focus: false });
        startDirect([user.id]);
      } }, isMe ? texts.people.openNotes : [icon('send'), texts.people.pingOne]) : null,
      isMe ? h('button', { type: 'button', class: 'button', onclick: leave('/settings/profile') }, icon('edit'), texts.people.editProfile) : null,
      !isMe && state.me.role === 'admin' ? h('button', { type: 'button', class: 'button', onclick: leave(`/settings/people?person=${user.id}`) }, texts.people.manage) : null),
  ];
}
