// All that the page knows. It changes through `change`, which tells those who watch.

import { get } from './api.js';

export const state = {
  me: null,
  account: null,
  users: new Map(),
  rooms: new Map(),
  online: new Set(),
  present: new Map(),
  typing: new Map(),
  seq: 0,
  connected: true,
};

const watchers = new Map();

/** Calls back whenever one of the topics changes; answers how to stop. */
export function watch(topics, callback) {
  for (const topic of topics) {
    if (!watchers.has(topic)) watchers.set(topic, new Set());
    watchers.get(topic).add(callback);
  }
  return () => topics.forEach((topic) => watchers.get(topic).delete(callback));
}

const waiting = new Set();

/** Tells who watches, once for all the changes of this turn. */
export function changed(...topics) {
  if (waiting.size === 0) {
    queueMicrotask(() => {
      const now = [...waiting];
      waiting.clear();
      const told = new Set();
      for (const topic of now) for (const callback of watchers.get(topic) || []) told.add(callback);
      for (const callback of told) callback(now);
    });
  }
  topics.forEach((topic) => waiting.add(topic));
}

/** Takes in what `/api/session` answers. */
export function begin(session) {
  state.me = session.user;
  state.account = session.account;
  state.users = new Map(session.users.map((user) => [user.id, user]));
  state.rooms = new Map(session.rooms.map((room) => [room.id, room]));
  state.online = new Set(session.online);
  state.seq = session.seq;
  changed('me', 'account', 'users', 'rooms', 'presence');
}

export function putUser(user) {
  state.users.set(user.id, { ...state.users.get(user.id), ...user });
  if (user.id === state.me.id) state.me = { ...state.me, ...user };
  changed('users', 'rooms');
}

const asked = new Set();

/** A person; one who is not known yet is asked for. */
export function person(id) {
  const known = state.users.get(id);
  if (known) return known;
  if (!asked.has(id)) {
    asked.add(id);
    get(`/api/users/${id}`).then(putUser, () => {});
  }
  return { id, name: '…', role: 'member', status: 'active', bio: '' };
}

/** Takes a room in; what is not told of it (my membership) stays as it was. */
export function putRoom(room) {
  const before = state.rooms.get(room.id);
  const membership = room.membership || before?.membership;
  if (!membership) {
    fetchRoom(room.id);
    return;
  }
  state.rooms.set(room.id, { ...before, ...room, membership });
  changed('rooms');
}

export async function fetchRoom(id) {
  try {
    const room = await get(`/api/rooms/${id}`);
    state.rooms.set(id, room);
  } catch {
    state.rooms.delete(id);
  }
  changed('rooms');
}

export function dropRoom(id) {
  state.rooms.delete(id);
  changed('rooms', 'gone');
}

/** The others of a direct room; oneself, if one is alone with oneself. */
export function others(room) {
  const ids = room.member_ids.filter((id) => id !== state.me.id);
  return (ids.length ? ids : [state.me.id]).map(person);
}

export function roomName(room) {
  return room.kind === 'direct' ? others(room).map((user) => user.name).join(', ') : room.name;
}

/** Marks a room as read up to a message, here. */
export function readUpTo(roomId, messageId) {
  const room = state.rooms.get(roomId);
  if (!room || (room.membership.last_read_message_id || 0) >= messageId) return;
  room.membership = { ...room.membership, unread_count: 0, mention_count: 0, last_read_message_id: messageId };
  changed('rooms');
}

export function addUnread(roomId, messageId, mention) {
  const room = state.rooms.get(roomId);
  if (!room) return;
  room.last_message_id = Math.max(room.last_message_id || 0, messageId);
  const { membership } = room;
  room.membership = { ...membership, unread_count: membership.unread_count + 1, mention_count: membership.mention_count + (mention ? 1 : 0) };
  changed('rooms');
}
