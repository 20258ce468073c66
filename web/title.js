// The window's title and the app icon's badge: where one is, and whether anything is unread.

import { callsIn, isUnread, roomHere } from './rooms.js';
import { roomName, state, watch } from './store.js';
import { texts } from './texts.js';

function place() {
  const room = state.rooms.get(roomHere());
  if (room) return roomName(room);
  if (location.pathname === '/search') return texts.search.title;
  return location.pathname.startsWith('/settings') ? texts.side.settings : '';
}

function show() {
  if (!state.me) return;
  const rooms = [...state.rooms.values()];
  const calls = rooms.reduce((sum, room) => sum + callsIn(room), 0);
  const unread = rooms.some(isUnread);
  const account = state.account?.name || 'Campfire';
  const name = place();
  document.title = (calls ? `(${calls}) ` : unread ? '• ' : '') + (name ? texts.app.titleWith(name, account) : account);
  badge(calls, unread);
}

let shown = '';

/** The number of mentions and direct messages, or a dot for messages that are only unread. */
function badge(calls, unread) {
  const wanted = `${calls}${unread}`;
  if (shown === wanted || !navigator.setAppBadge) return;
  shown = wanted;
  const done = calls ? navigator.setAppBadge(calls) : unread ? navigator.setAppBadge() : navigator.clearAppBadge();
  done.catch(() => {});
}

watch(['rooms', 'users', 'account', 'route'], show);
