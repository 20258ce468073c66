// The socket: what happens, as it happens; after a break, what was missed.

import { get } from './api.js';
import { addUnread, begin, changed, dropRoom, fetchRoom, putPresent, putRoom, putTyping, putUser, readUpTo, sawMessage, setOnline, setPresent, state } from './store.js';

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15000;
const HIDDEN_AFTER = 5000;
const PONG_WITHIN = 8000;
const GOING_AWAY = 1001;
const RETRY_HINT = /retry in (\d+) ms/;

let socket = null;
let wait = FIRST_WAIT;
let timer = 0;
let isRetrying = false;
let hellos = 0;
let isBehind = false;
let isStopped = false;
let heartbeat = 30000;
let heardAt = 0;

/** The room that is looked at: `{id, seq, isLive}`. `seq` is the last event known to be taken; it moves only while the socket is in the room. */
let joined = null;
const listeners = new Set();

/** Calls back with each event that concerns messages; `{type: 'back'}` when the socket is open (again), `{type: 'afresh'}` when too much was missed. */
export function listen(callback) {
  listeners.add(callback);
  return () => listeners.delete(callback);
}

function tell(event) {
  for (const callback of [...listeners]) callback(event);
}

export function say(message) {
  if (!isOpen()) return false;
  socket.send(JSON.stringify(message));
  return true;
}

export function isOpen() {
  return socket !== null && socket.readyState === WebSocket.OPEN && state.connected;
}

/** From now on the events of this room come in full, after all that came since `since`. */
export function join(roomId, since) {
  if (joined && joined.id !== roomId) leave();
  joined = { id: roomId, seq: since, isLive: false };
  enterRoom();
}

/** Answers the last event of the room that was taken. */
export function leave() {
  if (!joined) return 0;
  const { seq } = joined;
  leaveRoom();
  joined = null;
  return seq;
}

// Who does not look is not there.
function enterRoom() {
  if (joined && document.visibilityState === 'visible') say({ type: 'join_room', room_id: joined.id, since: joined.seq });
}

function leaveRoom() {
  joined.isLive = false;
  say({ type: 'leave_room', room_id: joined.id });
}

/** `behind`: what is known was kept from another time, so all is asked for afresh once there is a connection. */
export function start({ behind = false } = {}) {
  isStopped = false;
  isBehind = behind;
  connect();
}

export function stop() {
  isStopped = true;
  clearTimeout(timer);
  socket?.close();
}

function connect() {
  clearTimeout(timer);
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const opened = new WebSocket(`${scheme}://${location.host}/ws`, 'campfire.json');
  socket = opened;
  opened.onmessage = ({ data }) => {
    if (opened !== socket) return;
    heardAt = Date.now();
    take(JSON.parse(data));
  };
  opened.onclose = ({ code, reason }) => {
    if (opened === socket) lost(code, reason);
  };
}

function lost(code, reason = '') {
  socket = null;
  if (joined) joined.isLive = false;
  if (isStopped) return;
  state.connected = false;
  changed('connection');
  if (code === 4001 || code === 4003) tell({ type: 'signed_out' });
  else again(code === GOING_AWAY ? RETRY_HINT.exec(reason)?.[1] : undefined);
}

// Everybody comes back at another moment, or they would all come at once. A server that goes away says when.
function again(hint) {
  clearTimeout(timer);
  if (hint) {
    timer = setTimeout(retry, Math.min(Number(hint), LONGEST_WAIT));
    return;
  }
  timer = setTimeout(retry, wait * (0.5 + Math.random()));
  wait = Math.min(wait * 2, LONGEST_WAIT);
}

async function retry() {
  if (isRetrying || socket || isStopped) return;
  isRetrying = true;
  clearTimeout(timer);
  try {
    // Whoever was signed out meanwhile is told so here: a handshake that is refused has no status for scripts.
    await get(`/api/users/${state.me.id}`);
    connect();
  } catch (problem) {
    if (problem.status === 401) tell({ type: 'signed_out' });
    else again();
  } finally {
    isRetrying = false;
  }
}

async function catchUp() {
  try {
    begin(await get('/api/session'));
  } catch (problem) {
    if (problem.status === 401) tell({ type: 'signed_out' });
  }
}

/** The last event up to which all of the joined room is known, as long as the socket is in it. */
function reached(seq) {
  state.seq = Math.max(state.seq, seq);
  if (joined?.isLive) joined.seq = Math.max(joined.seq, seq);
}

async function take(event) {
  if (event.seq && event.type.includes('.')) reached(event.seq);
  switch (event.type) {
    case 'hello':
      hellos += 1;
      wait = FIRST_WAIT;
      heartbeat = (event.heartbeat_s || 30) * 1000;
      state.connected = true;
      changed('connection');
      enterRoom();
      if (hellos > 1 || isBehind) await catchUp();
      if (isBehind) tell({ type: 'afresh' });
      isBehind = false;
      tell({ type: 'back' });
      break;
    case 'joined':
      if (joined?.id === event.room_id) joined.isLive = true;
      state.seq = Math.max(state.seq, event.seq);
      takePresent(event);
      break;
    case 'resync':
      if (joined) joined.seq = event.seq;
      await catchUp();
      tell({ type: 'afresh' });
      break;
    case 'presence':
      if (state.rooms.get(event.room_id)?.kind === 'direct') setOnline(event.user_id, event.online);
      else putPresent(event.room_id, event.user_id, event.online);
      break;
    case 'typing':
      putTyping(event.room_id, event.user_id, event.active);
      break;
    case 'unread':
      addUnread(event.room_id, event.message_id, event.mention);
      break;
    case 'read':
      sawMessage(event.room_id, event.message_id);
      readUpTo(event.room_id, event.message_id);
      break;
    case 'room.created':
    case 'room.updated':
      putRoom(event.room);
      break;
    case 'room.deleted':
      dropRoom(event.room_id);
      break;
    case 'membership.updated':
      if (!event.membership) dropRoom(event.room_id);
      else if (event.room) putRoom({ ...event.room, membership: event.membership });
      else fetchRoom(event.room_id);
      break;
    case 'user.updated':
      putUser(event.user);
      break;
    case 'account.updated':
      state.account = { ...state.account, ...event.account };
      changed('account');
      break;
    case 'message.created':
      sawMessage(event.message.room_id, event.message.id);
      putTyping(event.message.room_id, event.message.creator_id, false);
      tell(event);
      break;
    default:
      tell(event);
  }
}

// In a direct room those count who are online at all.
function takePresent({ room_id: roomId, present }) {
  const room = state.rooms.get(roomId);
  if (room?.kind === 'direct') room.member_ids.forEach((id) => id !== state.me.id && setOnline(id, present.includes(id)));
  else setPresent(roomId, present);
}

/** A connection can die without a word (a laptop that slept): whoever does not answer is gone. */
function check() {
  if (!isOpen()) return;
  const asked = socket;
  const at = Date.now();
  say({ type: 'ping' });
  setTimeout(() => {
    if (asked !== socket || heardAt >= at || Date.now() - at > 3 * PONG_WITHIN) return;
    asked.close();
    lost(0);
  }, PONG_WITHIN);
}

setInterval(() => {
  if (Date.now() - heardAt > heartbeat) check();
}, 10000);

let hiding = 0;
document.addEventListener('visibilitychange', () => {
  clearTimeout(hiding);
  if (document.visibilityState === 'hidden') {
    hiding = setTimeout(() => joined && leaveRoom(), HIDDEN_AFTER);
    return;
  }
  if (!state.connected) retry();
  else if (joined && !joined.isLive) enterRoom();
  if (Date.now() - heardAt > PONG_WITHIN) check();
});

// The browser has no network any more: whether this server is reached all the same, the socket tells.
addEventListener('offline', check);

addEventListener('online', () => {
  wait = FIRST_WAIT;
  if (!state.connected) retry();
});
