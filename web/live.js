// Live events: what the socket brings, what was missed, and the room that is shown.
//
// Events that change the state wait while an answer of the server is under way that will replace it: the answer says up to
// which event it goes, and those after it follow. Events of the room that is shown go their own way, by `join` with `since`.

import { get } from './api.js';
import { mentionsMe } from './mentions.js';
import { barrier, noteGreeting, openSocket, say } from './socket.js';
import { addUnread, begin, changeUnread, changed, dropRoom, fetchRoom, giveUp, land, noteSeen, putPresent, putRoom, putRooms, putTyping, putUser, readUpTo, sawMessage, setBarrier, setOnline, setPresent, state, takeOff } from './store.js';

const HIDDEN_AFTER = 5000;
/** How long after a failed request it is made again. */
const CATCH_UP_AGAIN = 3000;
/** Having missed more events, the page asks for everything anew. The server sends so many in one answer. */
const MOST_MISSED = 1000;
/** More events than these do not wait for an answer: it is asked for anew. */
const MOST_QUEUED = 5000;

/** Events of rooms that only who has joined the room gets. */
const OF_A_ROOM = /^(?:message|boost)\./;

let hellos = 0;
/** The name of the history in the last hello. */
let greeting;
let isBehind = false;
/** The events that wait for an answer; null if none is under way. */
let queue = null;
/** Counts the requests and the connections: an answer to an earlier one is not taken. */
let turns = 0;

/**
 * The room that is shown: `{id, seq, from, isLive}`. `seq` is its last event that was taken. Events up to `from` are
 * replayed: they happened before the socket joined.
 */
let joined = null;
/** Rooms that the server was asked to leave, and how often it has not answered yet. */
const leaving = new Map();
const listeners = new Set();

setBarrier(barrier);

/**
 * Calls back with each event about messages (`isReplayed` if it is one of those that were missed), and with `{type: 'back'}`
 * when the socket is open (again), `{type: 'afresh'}` when what is shown cannot be caught up, `{type: 'signed_out'}`.
 */
export function listen(callback) {
  listeners.add(callback);
  return () => listeners.delete(callback);
}

function tell(event) {
  for (const callback of [...listeners]) callback(event);
}

/** Joins a room: its events after `since` come first, then those that happen. */
export function join(roomId, since) {
  if (joined && joined.id !== roomId) leave();
  joined = { id: roomId, seq: since, from: 0, isLive: false, isReplaying: false };
  enterRoom();
}

/** Leaves the room; returns the `seq` of its last event that was taken. */
export function leave() {
  if (!joined) return 0;
  const { seq } = joined;
  leaveRoom();
  joined = null;
  return seq;
}

/** A hidden page joins no room: its user is not present. */
function enterRoom() {
  if (joined && document.visibilityState === 'visible') say({ type: 'join_room', room_id: joined.id, since: joined.seq });
}

/** The server was too busy to take the socket into the room. */
function enterLater(delay) {
  const asked = joined;
  setTimeout(() => asked === joined && !asked.isLive && enterRoom(), delay);
}

function leaveRoom() {
  const { id } = joined;
  joined.isLive = false;
  if (say({ type: 'leave_room', room_id: id })) leaving.set(id, (leaving.get(id) || 0) + 1);
}

/** The server has answered: `joined` before this is of an earlier time. */
function hasLeft(id) {
  const more = leaving.get(id) - 1;
  if (more > 0) leaving.set(id, more);
  else leaving.delete(id);
}

/** `behind`: the session was kept offline, and may be old. */
export function start({ behind = false } = {}) {
  isBehind = behind;
  openSocket(take);
}

// ---- catching up ----

/** Asks for what was missed. Where that fails it is asked for again, as long as this connection is there. */
async function catchUp(missed = 0) {
  const turn = turns += 1;
  queue = [];
  const flight = takeOff();
  try {
    const answer = await whatIsNew(missed);
    if (turn !== turns) return giveUp(flight);
    if (queue.length > MOST_QUEUED) throw later(0);
    isBehind = false;
    takeAnswer(answer, flight);
    if (isBehind) await catchUp();
  } catch (problem) {
    giveUp(flight);
    if (turn !== turns) return;
    if (problem.status === 401) return tell({ type: 'signed_out' });
    if (problem.status === undefined) throw problem;
    setTimeout(() => turn === turns && catchUp(missed), problem.retryAfterMs ?? CATCH_UP_AGAIN);
  }
}

const later = (milliseconds) => Object.assign(new Error('the answer is too old'), { status: 503, retryAfterMs: milliseconds });

/** The events after ours, with my rooms as they are after them; the session if they are too many, too old, or of another history. */
async function whatIsNew(missed) {
  let isOther = false;
  if (isRenamed() || (!isBehind && missed <= MOST_MISSED)) {
    const history = state.history === undefined ? '' : `&history=${encodeURIComponent(state.history)}`;
    try {
      // Pages of messages may be of later events than those that were taken.
      if (isRenamed() && state.seen > state.seq) await get(`/api/sync?since=${state.seen}${history}`);
      const answer = await get(`/api/sync?since=${state.seq}&with=rooms${history}`);
      if (answer.rooms && !isBehind) return answer;
    } catch (problem) {
      if (problem.status !== 410) throw problem;
      isOther = isRenamed();
    }
  }
  return { ...await snapshot(isOther), isOther };
}

/** The server's history has another name than ours: it was started again, perhaps from a backup. */
const isRenamed = () => greeting !== state.history;

/** The session anew: `fresh` passes by what the service worker keeps. */
async function snapshot(isOther) {
  const session = await get('/api/session?fresh');
  const isOld = session.is_kept || (!isOther && session.seq < state.seq);
  if (isOld) throw later(CATCH_UP_AGAIN);
  return session;
}

function takeAnswer(answer, flight) {
  if (answer.user && answer.user.id !== state.me.id) return tell({ type: 'somebody_else' });
  const { isOther } = answer;
  if (answer.user) begin(answer, isOther);
  else {
    for (const event of answer.events) if (!OF_A_ROOM.test(event.type)) apply(event);
    putRooms(answer);
  }
  reach(answer.seq);
  state.history = answer.history;
  land(flight, answer.seq);
  const waited = queue;
  queue = null;
  waited.forEach(take);
  if (isOther) tell({ type: 'afresh', isOther: true });
  else if (joined && !joined.isLive) enterRoom();
}

// ---- events ----

/** Events that change the state, in the order in which they are taken. */
const ACTS = {
  presence(event) {
    if (state.rooms.get(event.room_id)?.kind === 'direct') setOnline(event.user_id, event.online);
    else putPresent(event.room_id, event.user_id, event.online);
  },
  unread(event) {
    sawMessage(event.room_id, event.message_id);
    addUnread(event.room_id, event.message_id, event.mention);
  },
  unread_changed(event) {
    changeUnread(event.room_id, event.message_id, event.unread, event.mentions);
    if (event.unread === 0) return;
    forgetNewest(event.room_id, event.message_id);
    tell({ type: 'unread_gone', room_id: event.room_id, message_id: event.message_id });
  },
  read(event) {
    sawMessage(event.room_id, event.message_id);
    readUpTo(event.room_id, event.message_id);
  },
  'room.created': (event) => putRoom(event.room, event.seq),
  'room.updated': (event) => putRoom(event.room, event.seq),
  'room.deleted': (event) => dropRoom(event.room_id),
  'membership.updated'(event) {
    if (!event.membership) dropRoom(event.room_id);
    else if (event.room) putRoom({ ...event.room, membership: event.membership }, event.seq);
    else fetchRoom(event.room_id);
  },
  'user.updated'(event) {
    const { role } = state.me;
    putUser(event.user, event.seq);
    // An administrator is told more.
    if (state.me.role === role) return;
    isBehind = true;
    if (!queue) catchUp();
  },
  'account.updated'(event) {
    state.account = { ...state.account, ...event.account };
    changed('account');
  },
};

/** The newest message of a room is gone. Only in direct rooms, which are ordered by it, does it matter which one was before. */
function forgetNewest(roomId, messageId) {
  const room = state.rooms.get(roomId);
  if (room?.kind === 'direct' && room.last_message_id === messageId) fetchRoom(roomId);
}

/** All events for everybody up to this one were taken. */
function reach(seq) {
  state.seq = Math.max(state.seq, seq);
  noteSeen(seq);
}

function apply(event) {
  ACTS[event.type]?.(event);
}

function take(event) {
  if (OF_A_ROOM.test(event.type)) return takeMessage(event);
  if (!ACTS[event.type]) return takeSign(event);
  // No answer has who is in a room, so there is none to wait for; who is online, which direct rooms tell, is in them.
  if (event.type === 'presence' && isShared(event.room_id)) return apply(event);
  if (queue) {
    if (queue.length <= MOST_QUEUED) queue.push(event);
  } else if (!event.seq) {
    // A message is numbered like an event: what everybody is told of before it has come.
    if (event.type === 'unread') reach(event.message_id);
    apply(event);
  } else if (event.seq > state.seq) {
    reach(event.seq);
    apply(event);
  }
}

/** Whether this room is known, and not a direct one. */
function isShared(roomId) {
  const room = state.rooms.get(roomId);
  return Boolean(room) && room.kind !== 'direct';
}

/** An event of the room that is shown. */
function takeMessage(event) {
  const roomId = event.message?.room_id ?? event.room_id;
  const isShown = joined?.id === roomId;
  noteSeen(event.seq);
  // Each once, in order.
  if (isShown && joined.isLive && event.seq <= joined.seq) return;
  if (!queue) reach(event.seq);
  if (isShown && joined.isLive) {
    Object.assign(joined, { seq: event.seq, isReplaying: false });
    event.isReplayed = event.seq <= joined.from;
  }
  if (event.type === 'message.created') {
    const { id, creator_id: author } = event.message;
    sawMessage(roomId, id);
    putTyping(roomId, author, false);
    // Who writes has read; another window or device of mine wrote it.
    if (author === state.me.id && !event.isReplayed) readUpTo(roomId, id);
  }
  if (!isShown) countLate(roomId, event);
  tell(event);
}

/** Counts an event of a room that the server has not yet taken this socket out of. */
function countLate(roomId, event) {
  const { type, seq, message, message_id: id } = event;
  if (type === 'message.created') {
    if (message.creator_id !== state.me.id) addUnread(roomId, message.id, mentionsMe(message));
  } else if (type === 'message.deleted' && event.mentions) changeUnread(roomId, id, -1, mentionsMe(event) ? -1 : 0, seq);
  else if (type === 'message.deleted' || type === 'message.updated') fetchRoom(roomId);
}

/** What the server says about the connection. */
function takeSign(event) {
  switch (event.type) {
    case 'hello':
      return void greeted(event);
    case 'joined':
      if (!isRenamed()) noteSeen(event.seq);
      if (joined?.id === event.room_id && !leaving.has(joined.id)) Object.assign(joined, { isLive: true, from: event.seq, isReplaying: joined.seq < event.seq });
      takePresent(event);
      break;
    case 'left':
      hasLeft(event.room_id);
      break;
    case 'resync':
      resync(event);
      break;
    case 'lost':
      turns += 1;
      queue = null;
      leaving.clear();
      if (joined) joined.isLive = false;
      break;
    case 'typing':
      putTyping(event.room_id, event.user_id, event.active);
      break;
    case 'error':
      if (event.retry_after_ms && joined && !joined.isLive) enterLater(event.retry_after_ms);
      break;
    default:
      tell(event);
  }
}

async function greeted(event) {
  hellos += 1;
  noteGreeting(event.heartbeat_s);
  // Another tab has signed somebody else in.
  if (event.user_id !== state.me.id) return tell({ type: 'somebody_else' });
  const isFirst = hellos === 1 && !isBehind;
  greeting = event.history;
  if (!isRenamed()) noteSeen(event.seq);
  // In another history the room's position would mean nothing.
  if (!isRenamed()) enterRoom();
  if (isFirst) tell({ type: 'back' });
  await catchUp(event.seq - state.seq);
  if (!isFirst) tell({ type: 'back' });
}

/** The server has left events out. The room's come once more; if it cannot replay them, what is shown is loaded anew. */
function resync(event) {
  catchUp(event.seq - state.seq);
  if (!joined) return;
  const { isLive, isReplaying } = joined;
  // Until it has joined again, its events count as not taken.
  joined.isLive = false;
  if (!isLive || isReplaying) joined.seq = event.seq;
  enterRoom();
  if (!isLive || isReplaying) tell({ type: 'afresh' });
}

// In a direct room, present means online anywhere.
function takePresent({ room_id: roomId, present }) {
  const room = state.rooms.get(roomId);
  if (room?.kind === 'direct') room.member_ids.forEach((id) => id !== state.me.id && setOnline(id, present.includes(id)));
  else setPresent(roomId, present);
}

let hiding = 0;
document.addEventListener('visibilitychange', () => {
  clearTimeout(hiding);
  if (document.visibilityState === 'hidden') hiding = setTimeout(() => joined && leaveRoom(), HIDDEN_AFTER);
  else if (joined && !joined.isLive) enterRoom();
});
