// The page's state. Whoever changes it announces the topic to its watchers:
// `me`, `account`, `users`, `rooms` (which there are, their names, what is unread), `gone` (a room was dropped),
// `presence` (who is online), `present` (who has a room open), `typing`, `connection`, `outbox`, `uploads`, `route`, `day` (a new day began).

import { get } from './api.js';

export const state = {
  me: null,
  account: null,
  /** In bytes, from the session. */
  limits: { upload_limit: Infinity, content_limit: Infinity },
  users: new Map(),
  rooms: new Map(),
  online: new Set(),
  present: new Map(),
  typing: new Map(),
  seq: 0,
  connected: true,
};

const watchers = new Map();

/** Calls `callback(topics)` whenever one of the topics changes; returns a function that stops it. */
export function watch(topics, callback) {
  for (const topic of topics) {
    if (!watchers.has(topic)) watchers.set(topic, new Set());
    watchers.get(topic).add(callback);
  }
  return () => topics.forEach((topic) => watchers.get(topic).delete(callback));
}

const waiting = new Set();

/** Announces topics. Each watcher is called once for all changes of this turn. */
export function changed(...topics) {
  if (waiting.size === 0) queueMicrotask(tellWatchers);
  topics.forEach((topic) => waiting.add(topic));
}

function tellWatchers() {
  const now = [...waiting];
  waiting.clear();
  const called = new Set(now.flatMap((topic) => [...(watchers.get(topic) || [])]));
  for (const callback of called) callback(now);
}

/** Takes the answer of `/api/session` as the new state. */
export function begin(session) {
  state.me = session.user;
  state.account = session.account;
  // A session kept offline by an older version has none.
  state.limits = session.limits || state.limits;
  state.users = new Map(session.users.map((user) => [user.id, user]));
  state.rooms = new Map(session.rooms.map((room) => [room.id, room]));
  session.rooms.forEach(noteCounted);
  state.online = new Set(session.online);
  state.seq = Math.max(state.seq, session.seq);
  changed('me', 'account', 'users', 'rooms', 'presence', 'gone');
}

export function putUser(user) {
  const before = state.users.get(user.id);
  const now = { ...before, ...user };
  state.users.set(user.id, now);
  recount(now.status === 'active', before?.status === 'active');
  asked.delete(user.id);
  if (user.id === state.me.id) {
    state.me = { ...state.me, ...user };
    changed('me');
  }
  changed('users', 'rooms');
}

/** A new or deactivated user joins or leaves all open rooms; the server sends no event for each room. */
function recount(isHere, wasHere) {
  if (isHere === wasHere) return;
  for (const room of state.rooms.values()) if (room.kind === 'open') room.member_count += isHere ? 1 : -1;
}

const asked = new Set();

/** The user of this id; a placeholder while an unknown one is fetched. */
export function person(id) {
  const known = state.users.get(id);
  if (known) return known;
  if (!asked.has(id)) {
    asked.add(id);
    // A user who does not exist is not fetched again.
    get(`/api/users/${id}`).then(putUser, ({ status }) => status !== 404 && asked.delete(id));
  }
  return { id, name: '…', initials: '…', color: '#625950', role: 'member', status: 'active', bio: '' };
}

/** Updates a room. Events for everybody carry no membership: mine stays as it was. */
export function putRoom(room) {
  const before = state.rooms.get(room.id);
  const membership = room.membership || before?.membership;
  if (!membership) {
    fetchRoom(room.id);
    return;
  }
  if (room.membership) noteCounted({ ...before, ...room });
  state.rooms.set(room.id, { ...before, ...room, membership });
  changed('rooms');
}

/** Fetches a room. It is dropped if it is not mine any more, and kept if the server cannot be reached. */
export async function fetchRoom(id) {
  try {
    const room = await get(`/api/rooms/${id}`);
    state.rooms.set(id, room);
    noteCounted(room);
    changed('rooms');
  } catch (problem) {
    if (problem.status === 403 || problem.status === 404) dropRoom(id);
  }
}

export function dropRoom(id) {
  if (!state.rooms.delete(id)) return;
  changed('rooms', 'gone');
}

/** The other members of a direct room; oneself in a room of one's own. */
export function others(room) {
  const ids = room.member_ids.filter((id) => id !== state.me.id);
  return (ids.length ? ids : [state.me.id]).map(person);
}

export function roomName(room) {
  return room.kind === 'direct' ? others(room).map((user) => user.name).join(', ') : room.name;
}

/** Marks a room as read up to a message, in this page only. */
export function readUpTo(roomId, messageId) {
  const room = state.rooms.get(roomId);
  if (!room) return;
  const { membership } = room;
  if ((membership.last_read_message_id || 0) >= messageId && !membership.unread_count) return;
  const isAll = messageId >= (room.last_message_id || 0);
  room.membership = { ...membership, last_read_message_id: Math.max(membership.last_read_message_id || 0, messageId) };
  if (!membership.unread_count && !membership.mention_count) return;
  // Only the server knows how many are left after the mark.
  if (!isAll) return void fetchRoom(roomId);
  Object.assign(room.membership, { unread_count: 0, mention_count: 0 });
  changed('rooms');
}

/** The newest message that a room's `unread_count` takes into account. */
const counted = new Map();

const noteCounted = (room) => counted.set(room.id, room.last_message_id || 0);

/** Counts an unread message, once: an `unread` event, the session and the room's replayed events may all announce it. */
export function addUnread(roomId, messageId, mention) {
  const room = state.rooms.get(roomId);
  if (!room || (counted.get(roomId) || 0) >= messageId) return;
  counted.set(roomId, messageId);
  const { membership } = room;
  if ((membership.last_read_message_id || 0) >= messageId) return;
  room.membership = { ...membership, unread_count: membership.unread_count + 1, mention_count: membership.mention_count + (mention ? 1 : 0) };
  changed('rooms');
}

/** Notes the newest message of a room, by which direct rooms are ordered. */
export function sawMessage(roomId, messageId) {
  const room = state.rooms.get(roomId);
  if (!room || (room.last_message_id || 0) >= messageId) return;
  room.last_message_id = messageId;
  if (room.kind === 'direct') changed('rooms');
}

export function setOnline(userId, isOnline) {
  if (state.online.has(userId) === isOnline) return;
  if (isOnline) state.online.add(userId);
  else state.online.delete(userId);
  changed('presence');
}

/** Who has a room open. */
export function setPresent(roomId, userIds) {
  state.present.set(roomId, new Set(userIds));
  changed('present');
}

export function putPresent(roomId, userId, isPresent) {
  const people = state.present.get(roomId) || new Set();
  if (people.has(userId) === isPresent) return;
  if (isPresent) people.add(userId);
  else people.delete(userId);
  state.present.set(roomId, people);
  changed('present');
}

const TYPING_MS = 5000;

/** Somebody types in a room, or has stopped. Without another event it ends after `TYPING_MS`. */
export function putTyping(roomId, userId, active) {
  const people = state.typing.get(roomId) || new Map();
  const was = people.has(userId);
  clearTimeout(people.get(userId));
  people.delete(userId);
  if (active) people.set(userId, setTimeout(() => putTyping(roomId, userId, false), TYPING_MS));
  state.typing.set(roomId, people);
  if (was !== active) changed('typing');
}
