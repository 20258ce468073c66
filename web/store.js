// The page's state. Whoever changes it announces the topic to its watchers:
// `me`, `account`, `users`, `rooms` (which there are, their names, what is unread), `gone` (a room was dropped),
// `presence` (who is online), `present` (who has a room open), `typing`, `connection`, `outbox`, `uploads`, `route`, `day` (a new day began).

import { get } from './api.js';
import { texts } from './texts.js';

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
  /** Every event for everybody up to this one was taken. */
  seq: 0,
  /** Nothing that is known is of a later event than this one. */
  seen: 0,
  /** The server's name for the history that `seq` counts in. After a restart it has another name, after a restore another history. */
  history: undefined,
  /** Counts the histories. */
  era: 0,
  connected: true,
  /** Something in front of the server answers in its place. */
  intercepted: false,
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

/** Takes the answer of `/api/session` as the new state. `isOther`: the server's history is another one than ours. */
export function begin(session, isOther = false) {
  state.me = session.user;
  state.account = session.account;
  // A session kept offline by an older version has none.
  state.limits = session.limits || state.limits;
  state.users = new Map(session.users.map((user) => [user.id, user]));
  state.history = session.history;
  if (isOther) {
    state.seq = 0;
    state.seen = 0;
    state.era += 1;
    state.present.clear();
  }
  state.seq = Math.max(state.seq, session.seq);
  noteSeen(session.seq);
  changed('me', 'account', 'users');
  putRooms(session);
}

/** Something of this event is known. */
export function noteSeen(seq) {
  state.seen = Math.max(state.seen, seq);
}

/** Takes all of my rooms, who is online, and my counts as they were at `seq`. */
export function putRooms({ rooms, online, seq }) {
  state.rooms = new Map(rooms.map((room) => [room.id, room]));
  state.online = new Set(online);
  counted.clear();
  rooms.forEach((room) => counted.set(room.id, seq));
  // Their answers may be older.
  askAgain(...fetching.keys());
  isKnownAgain(...failed.keys());
  changed('rooms', 'presence', 'gone');
}

/** `seq` is that of the event. */
export function putUser(user, seq) {
  const before = state.users.get(user.id);
  const now = { ...before, ...user };
  // Only somebody who has not signed in yet has it.
  if (!user.is_unclaimed) delete now.is_unclaimed;
  state.users.set(user.id, now);
  recount(now.status === 'active', before?.status === 'active', seq);
  asked.delete(user.id);
  if (user.id === state.me.id) {
    state.me = { ...state.me, ...user };
    changed('me');
  }
  changed('users', 'rooms');
}

/** A new or deactivated user joins or leaves all open rooms; the server sends no event for each room. */
function recount(isHere, wasHere, seq) {
  if (isHere === wasHere) return;
  for (const { id, kind } of state.rooms.values()) {
    if (kind === 'open') count('change', id, seq, () => { if (state.rooms.has(id)) state.rooms.get(id).member_count += isHere ? 1 : -1; });
  }
}

const asked = new Set();

/** Users whom a guest does not see any more, though there are messages of theirs. */
const gone = new Set();

/** The user of this id; a placeholder while an unknown one is fetched. */
export function person(id) {
  const known = state.users.get(id);
  if (known) return known;
  if (!asked.has(id)) {
    asked.add(id);
    // A user who does not exist is not fetched again.
    // An event that came meanwhile is newer than the answer.
    get(`/api/users/${id}`).then((user) => state.users.has(id) || putUser(user, 0), ({ status }) => {
      if (status !== 404) return void asked.delete(id);
      gone.add(id);
      changed('users');
    });
  }
  const [name, initials] = gone.has(id) ? [texts.people.gone, '?'] : ['…', '…'];
  return { id, name, initials, color: '#625950', role: 'member', status: 'active', bio: '' };
}

/**
 * Updates a room. Events for everybody carry no membership: mine stays as it was. The counts of an answer may be older
 * than those here; those of an event, which has its `seq`, are not.
 */
export function putRoom(room, seq) {
  const before = state.rooms.get(room.id);
  const membership = (seq && room.membership) || before?.membership || room.membership;
  if (!membership) return void fetchRoom(room.id);
  askAgain(room.id);
  if (!seq && before?.updated_at > room.updated_at) return;
  if (seq && room.membership) counted.set(room.id, seq);
  else if (!before) counted.set(room.id, room.last_message_id || 0);
  state.rooms.set(room.id, { ...before, ...room, membership });
  changed('rooms');
}

/** I have chosen how much I am told of a room. The event brings the counts of one that was hidden. */
export function noteInvolvement(roomId, involvement) {
  const room = state.rooms.get(roomId);
  if (!room) return;
  const hidden = involvement === 'invisible' ? { unread_count: 0, mention_count: 0 } : {};
  room.membership = { ...room.membership, involvement, ...hidden };
  changed('rooms');
}

const FETCH_AGAIN_MS = 3000;

/** Requests for a room under way, by its id: `{isOld, done}`. */
const fetching = new Map();

/** Requests that failed and are to be made again, by the room's id: a timer. */
const failed = new Map();

function isKnownAgain(...ids) {
  for (const id of ids) {
    clearTimeout(failed.get(id));
    failed.delete(id);
  }
}

/** Events about these rooms came: answers that are under way may be older. */
function askAgain(...ids) {
  for (const id of ids) if (fetching.has(id)) fetching.get(id).isOld = true;
}

/** Fetches a room. It is dropped if it is not mine any more, and kept if the server cannot be reached. */
export function fetchRoom(id) {
  isKnownAgain(id);
  if (!fetching.has(id)) {
    const request = { isOld: false };
    fetching.set(id, request);
    request.done = fetched(id, request);
  } else askAgain(id);
  return fetching.get(id).done;
}

async function fetched(id, request) {
  const flight = takeOff(id);
  try {
    let room;
    do {
      request.isOld = false;
      flight.said = [];
      room = await get(`/api/rooms/${id}`);
    } while (request.isOld);
    fetching.delete(id);
    state.rooms.set(id, room);
    noteSeen(room.last_message_id || 0);
    counted.set(id, room.last_message_id || 0);
    land(flight);
    changed('rooms');
  } catch (problem) {
    flights.delete(flight);
    fetching.delete(id);
    if (problem.status === 403 || problem.status === 404) dropRoom(id);
    else if (problem.status !== 401) failed.set(id, setTimeout(fetchRoom, problem.retryAfterMs || FETCH_AGAIN_MS, id));
  }
}

export function dropRoom(id) {
  askAgain(id);
  isKnownAgain(id);
  if (!state.rooms.delete(id)) return;
  changed('rooms', 'gone');
}

/** The other members of a direct room; oneself in a room of one's own. */
export function others(room) {
  const ids = room.member_ids.filter((id) => id !== state.me.id);
  return (ids.length ? ids : [state.me.id]).map(person);
}

/** A room of mine alone. */
export const isNotes = (room) => room.kind === 'direct' && room.member_ids.length === 1 && room.member_ids[0] === state.me.id;

export function roomName(room) {
  return room.kind === 'direct' ? others(room).map((user) => user.name).join(', ') : room.name;
}

// ---- what is unread ----
//
// A room's counts are right at some position of the history: that of the answer they came with. What happens after it is
// added. Answers and events take different ways, so that an event may come before an answer that has it, or after.
// Messages are numbered like events, which tells. Changes of counts are not: where it is not known whether an answer has
// one, the room is asked for again.

/** Up to this number does the server count. */
const MOST_COUNTED = 1000;

/** By room, the newest event that its counts take into account. */
const counted = new Map();

/** Requests for counts: `{room, said, seq, unsure}`. `room` is null for all; `said` is what happens until the answer is here. */
const flights = new Set();

/** Resolves when everything that the server sent before has come. */
let barrier = () => Promise.resolve();

export function setBarrier(promise) {
  barrier = promise;
}

/** A request for the counts of a room, or of all rooms, is about to be sent. */
export function takeOff(room = null) {
  const flight = { room, said: [], seq: undefined, unsure: new Set() };
  flights.add(flight);
  return flight;
}

/** The answer is here, and in the state. What happened meanwhile is added, unless the answer (at `seq`, if it says so) has it. */
export function land(flight, seq = 0) {
  const { said } = flight;
  Object.assign(flight, { said: null, seq });
  for (const { act, ...what } of said) if (isCertain(flight, what)) act();
  barrier().then(() => {
    flights.delete(flight);
    flight.unsure.forEach(fetchRoom);
  });
}

/** The request has failed. */
export const giveUp = (flight) => flights.delete(flight);

/** False if the answer has this already, or may have it; then the room is asked for again. */
function isCertain(flight, { kind, room, seq }) {
  if (kind !== 'change') return true;
  if (flight.room === null && seq) return seq > flight.seq;
  flight.unsure.add(room);
  return false;
}

/** Changes the counts of a room, now and after the answers that are under way. */
function count(kind, room, seq, act) {
  const concerned = [...flights].filter((flight) => flight.room === null || flight.room === room);
  for (const flight of concerned) flight.said?.push({ kind, room, seq, act });
  if (concerned.every((flight) => flight.said || isCertain(flight, { kind, room, seq }))) act();
}

/** Marks a room as read up to a message, in this page only. */
export function readUpTo(roomId, messageId) {
  count('read', roomId, messageId, () => {
    const room = state.rooms.get(roomId);
    if (!room) return;
    const { membership } = room;
    const isAll = messageId >= (room.last_message_id || 0);
    const isRead = (membership.last_read_message_id || 0) >= messageId;
    if (isRead && !(isAll && membership.unread_count)) return;
    room.membership = { ...membership, last_read_message_id: Math.max(membership.last_read_message_id || 0, messageId) };
    if (!membership.unread_count && !membership.mention_count) return;
    // Only the server knows how many are left after the mark.
    if (!isAll) return void fetchRoom(roomId);
    Object.assign(room.membership, { unread_count: 0, mention_count: 0 });
    changed('rooms');
  });
}

/** Counts an unread message, once: an `unread` event, an answer and the room's replayed events may all announce it. */
export function addUnread(roomId, messageId, mention) {
  count('unread', roomId, messageId, () => {
    const room = state.rooms.get(roomId);
    if (!room || (counted.get(roomId) || 0) >= messageId) return;
    counted.set(roomId, messageId);
    addTo(room, messageId, 1, mention ? 1 : 0);
  });
}

/** Adds to the counts of a room if this message is unread: it was deleted, or an edit mentions me or does so no more. */
export function changeUnread(roomId, messageId, unread, mentions, seq) {
  count('change', roomId, seq, () => {
    const room = state.rooms.get(roomId);
    if (room) addTo(room, messageId, unread, mentions);
  });
}

function addTo(room, messageId, unread, mentions) {
  const { membership } = room;
  if ((membership.last_read_message_id || 0) >= messageId || membership.involvement === 'invisible') return;
  // There may be more than were counted.
  if (unread < 0 && membership.unread_count >= MOST_COUNTED) return void fetchRoom(room.id);
  const sum = (before, more) => Math.max(0, Math.min(before + more, MOST_COUNTED));
  room.membership = { ...membership, unread_count: sum(membership.unread_count, unread), mention_count: Math.max(0, membership.mention_count + mentions) };
  changed('rooms');
}

/** Notes the newest message of a room, by which direct rooms are ordered. */
export function sawMessage(roomId, messageId) {
  count('newest', roomId, messageId, () => {
    const room = state.rooms.get(roomId);
    if (!room || (room.last_message_id || 0) >= messageId) return;
    room.last_message_id = messageId;
    if (room.kind === 'direct') changed('rooms');
  });
}

/** A message is gone. If it was the newest of its room, `before` is. */
export function forgetMessage(roomId, messageId, before) {
  count('newest', roomId, messageId, () => {
    const room = state.rooms.get(roomId);
    if (room?.last_message_id === messageId) room.last_message_id = before;
  });
}

// ---- who is here ----

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
