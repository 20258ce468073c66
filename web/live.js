// The WebSocket: live events, reconnecting, and catching up on what was missed.

import { get } from './api.js';
import { addUnread, begin, changed, dropRoom, fetchRoom, putPresent, putRoom, putTyping, putUser, readUpTo, sawMessage, setOnline, setPresent, state } from './store.js';

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15000;
const HIDDEN_AFTER = 5000;
const PONG_WITHIN = 8000;
const GOING_AWAY = 1001;
/** How long after a failed request for the session it is asked for again. */
const CATCH_UP_AGAIN = 3000;

let socket = null;
let wait = FIRST_WAIT;
let timer = 0;
let isRetrying = false;
let hellos = 0;
let isBehind = false;
let isStopped = false;
let heartbeat = 30000;
let heardAt = 0;

/** The room that is shown: `{id, seq, isLive}`. `seq` is the last event that was taken; it moves only while the socket has joined the room. */
let joined = null;
const listeners = new Set();

/** Calls back with each event about messages, and with `{type: 'back'}` when the socket is open (again), `{type: 'afresh'}` when too much was missed, `{type: 'signed_out'}`. */
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

/** Joins a room: its events after `since` come first, then those that happen. */
export function join(roomId, since) {
  if (joined && joined.id !== roomId) leave();
  joined = { id: roomId, seq: since, isLive: false };
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
  joined.isLive = false;
  say({ type: 'leave_room', room_id: joined.id });
}

/** `behind`: the session was kept offline, so all is asked for again once there is a connection. */
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
  else again(code === GOING_AWAY ? retryAfter(reason) : undefined);
}

/** The milliseconds that a close reason like `{"reason":"going away","retry_after_ms":1240}` gives; undefined if it gives none. */
function retryAfter(reason) {
  try {
    const { retry_after_ms: ms } = JSON.parse(reason);
    return ms >= 0 ? ms : undefined;
  } catch {
    return undefined;
  }
}

/** Connects again after `delay`, which a server that goes away gives to each socket; otherwise after a back-off with jitter, so that not all clients come at once. */
function again(delay) {
  clearTimeout(timer);
  if (delay !== undefined) {
    timer = setTimeout(retry, Math.min(delay, LONGEST_WAIT));
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
    // Tells whether this session was signed out: scripts do not see the status of a refused handshake.
    await get(`/api/users/${state.me.id}`);
    if (!isStopped) connect();
  } catch (problem) {
    if (problem.status === 401) tell({ type: 'signed_out' });
    else if (!isStopped) again();
  } finally {
    isRetrying = false;
  }
}

/** Asks for the session anew. Where that fails it is asked for again, as long as this socket is open. */
async function catchUp() {
  const asked = socket;
  try {
    begin(await get('/api/session'));
  } catch (problem) {
    if (problem.status === 401) tell({ type: 'signed_out' });
    else setTimeout(() => asked === socket && isOpen() && catchUp(), problem.retryAfterMs || CATCH_UP_AGAIN);
  }
}

/** Notes how far the events have been taken. */
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
      sawMessage(event.room_id, event.message_id);
      addUnread(event.room_id, event.message_id, event.mention);
      break;
    case 'error':
      if (event.retry_after_ms && joined && !joined.isLive) enterLater(event.retry_after_ms);
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

// In a direct room, present means online anywhere.
function takePresent({ room_id: roomId, present }) {
  const room = state.rooms.get(roomId);
  if (room?.kind === 'direct') room.member_ids.forEach((id) => id !== state.me.id && setOnline(id, present.includes(id)));
  else setPresent(roomId, present);
}

/** A connection can end without a close frame (a laptop that slept): without an answer to a ping it is given up. */
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

// The browser has no network any more, but a server on this machine may still be reachable: a ping tells.
addEventListener('offline', check);

addEventListener('online', () => {
  wait = FIRST_WAIT;
  if (!state.connected) retry();
});
