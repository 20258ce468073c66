// The socket: what happens, as it happens; after a break, what was missed.

import { get } from './api.js';
import { addUnread, begin, changed, dropRoom, fetchRoom, putRoom, putUser, readUpTo, state } from './store.js';

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15000;
const HIDDEN_AFTER = 5000;

let socket = null;
let wait = FIRST_WAIT;
let timer = 0;
let joined = null;
let heard = 0;
let stopped = false;
const listeners = new Set();

/** Calls back with each event that concerns messages; `{type: 'back'}` after a break, `{type: 'afresh'}` when too much was missed. */
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

/** From now on the events of this room come in full. `since` is the last one that is known of it. */
export function join(roomId, since) {
  if (joined && joined.id !== roomId) say({ type: 'leave_room', room_id: joined.id });
  joined = { id: roomId, seq: since };
  if (document.visibilityState === 'visible' || socket) say({ type: 'join_room', room_id: roomId, since });
}

export function leave() {
  if (joined) say({ type: 'leave_room', room_id: joined.id });
  joined = null;
}

export function start() {
  stopped = false;
  connect();
}

export function stop() {
  stopped = true;
  clearTimeout(timer);
  socket?.close();
}

function connect() {
  clearTimeout(timer);
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const opened = new WebSocket(`${scheme}://${location.host}/ws`, 'campfire.json');
  socket = opened;
  opened.onmessage = ({ data }) => {
    if (opened === socket) take(JSON.parse(data));
  };
  opened.onclose = ({ code }) => {
    if (opened !== socket || stopped) return;
    state.connected = false;
    changed('connection');
    if (code === 4001 || code === 4003) {
      tell({ type: 'signed_out' });
      return;
    }
    // Everybody comes back at another moment, or they would all come at once.
    timer = setTimeout(retry, wait * (0.5 + Math.random()));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  };
}

async function retry() {
  try {
    // Whoever was signed out meanwhile is told so here: a handshake that is refused has no status for scripts.
    const response = await fetch('/api/setup', { cache: 'no-store' });
    if (response.ok) connect();
    else throw new Error('not yet');
  } catch {
    timer = setTimeout(retry, wait * (0.5 + Math.random()));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }
}

async function catchUp() {
  if (heard === 0) return;
  try {
    begin(await get('/api/session'));
  } catch (problem) {
    if (problem.status === 401) tell({ type: 'signed_out' });
  }
}

async function take(event) {
  if (event.seq && event.type.includes('.')) {
    // What a replay and the live stream both have is taken once.
    if (joined && event.message?.room_id === joined.id) joined.seq = Math.max(joined.seq, event.seq);
    state.seq = Math.max(state.seq, event.seq);
  }
  switch (event.type) {
    case 'hello': {
      const isBack = heard > 0;
      wait = FIRST_WAIT;
      state.connected = true;
      changed('connection');
      if (isBack) await catchUp();
      heard += 1;
      if (joined) say({ type: 'join_room', room_id: joined.id, since: joined.seq });
      tell({ type: 'back' });
      break;
    }
    case 'joined':
      state.present.set(event.room_id, new Set(event.present));
      changed('presence');
      break;
    case 'resync':
      await catchUp();
      if (joined) joined.seq = event.seq;
      tell({ type: 'afresh' });
      break;
    case 'presence': {
      const direct = state.rooms.get(event.room_id)?.kind === 'direct';
      const people = direct ? state.online : state.present.get(event.room_id) || new Set();
      if (event.online) people.add(event.user_id);
      else people.delete(event.user_id);
      if (!direct) state.present.set(event.room_id, people);
      changed('presence');
      break;
    }
    case 'typing':
      takeTyping(event);
      break;
    case 'unread':
      addUnread(event.room_id, event.message_id, event.mention);
      break;
    case 'read':
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
      takeTyping({ room_id: event.message.room_id, user_id: event.message.creator_id, active: false });
      tell(event);
      break;
    default:
      tell(event);
  }
}

function takeTyping({ room_id: room, user_id: user, active }) {
  const people = state.typing.get(room) || new Map();
  clearTimeout(people.get(user));
  people.delete(user);
  if (active) {
    people.set(user, setTimeout(() => {
      people.delete(user);
      changed('typing');
    }, 5000));
  }
  state.typing.set(room, people);
  changed('typing');
}

// Who does not look is not there: a page that is hidden leaves its room after a while, and catches up when it is seen again.
let hiding = 0;
document.addEventListener('visibilitychange', () => {
  clearTimeout(hiding);
  if (document.visibilityState === 'hidden') {
    hiding = setTimeout(() => {
      if (joined) say({ type: 'leave_room', room_id: joined.id });
    }, HIDDEN_AFTER);
  } else if (joined) {
    say({ type: 'join_room', room_id: joined.id, since: joined.seq });
  }
});
addEventListener('online', () => {
  if (!state.connected && !stopped) retry();
});
