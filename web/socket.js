// The WebSocket itself: opening it, noticing that it is lost, and opening it again.

import { get } from './api.js';
import { wasSignedIn } from './signed-in.js';
import { changed, state } from './store.js';

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15000;
const PONG_WITHIN = 4000;
const LOOK_EVERY = 5000;
/** A page that is looked at finds out soon; a hidden one after the server's heartbeat. */
const SILENT_WHILE_SEEN = 10000;
/** Whoever acts after so long a silence should not wait for others' messages in vain. */
const SILENT_WHILE_USED = 5000;
const GOING_AWAY = 1001;

let socket = null;
let take = () => {};
let wait = FIRST_WAIT;
let timer = 0;
let isRetrying = false;
let isStopped = true;
let heartbeat = 30000;
let heardAt = 0;
let lookedAt = 0;
let checkedAt = 0;
let pings = 0;
/** What waits for a pong, by the `t` of its ping. */
const waiting = new Map();

/** Opens the socket. `taken(event)` gets what the server sends, and `{type: 'lost'}` and `{type: 'signed_out'}`. */
export function openSocket(taken) {
  take = taken;
  isStopped = false;
  connect();
}

export function stop() {
  isStopped = true;
  clearTimeout(timer);
  socket?.close();
}

export function isOpen() {
  return socket !== null && socket.readyState === WebSocket.OPEN && state.connected;
}

/** False if there is no connection. */
export function say(message) {
  if (!isOpen()) return false;
  socket.send(JSON.stringify(message));
  return true;
}

/** The server has greeted this connection. */
export function noteGreeting(seconds) {
  wait = FIRST_WAIT;
  heartbeat = (seconds || 30) * 1000;
  state.connected = true;
  state.intercepted = false;
  changed('connection');
}

/** Resolves when all that the server sent before has come, or the connection is lost. */
export function barrier() {
  if (!isOpen()) return Promise.resolve();
  pings += 1;
  say({ type: 'ping', t: pings });
  return new Promise((done) => {
    waiting.set(pings, done);
  });
}

function connect() {
  clearTimeout(timer);
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const opened = new WebSocket(`${scheme}://${location.host}/ws`, 'campfire.json');
  socket = opened;
  opened.onmessage = ({ data }) => {
    if (opened !== socket) return;
    heardAt = Date.now();
    const event = JSON.parse(data);
    if (event.type === 'pong') answered(event.t);
    else take(event);
  };
  opened.onclose = ({ code, reason }) => {
    if (opened === socket) lost(code, reason);
  };
}

/** An answer to this ping answers those before it. */
function answered(t) {
  for (const [asked, done] of [...waiting]) {
    if (!(asked <= t)) continue;
    waiting.delete(asked);
    done();
  }
}

function lost(code, reason = '') {
  socket = null;
  answered(Infinity);
  if (isStopped) return;
  state.connected = false;
  changed('connection');
  take({ type: 'lost' });
  if (code === 4001 || code === 4003) take({ type: 'signed_out' });
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
    if (!isStopped && !socket) connect();
  } catch (problem) {
    state.intercepted = problem.code === 'intercepted';
    changed('connection');
    if (problem.status === 401) take({ type: 'signed_out' });
    else if (!isStopped) again();
  } finally {
    isRetrying = false;
  }
}

// ---- sleep, and pages that are put away ----

/** A connection can end without a close frame (a laptop that slept): without an answer to a ping it is given up. */
function check() {
  if (!isOpen()) return;
  const asked = socket;
  const at = Date.now();
  checkedAt = at;
  say({ type: 'ping' });
  setTimeout(() => {
    if (asked !== socket || heardAt >= at) return;
    // The machine slept meanwhile: the answer may be about to come.
    if (Date.now() - at > 2 * PONG_WITHIN) return check();
    asked.close();
    lost(0);
  }, PONG_WITHIN);
}

/** Looked at again: a connection is there at once, or is made. */
function wake() {
  if (isStopped) return;
  wait = FIRST_WAIT;
  if (!socket) retry();
  else if (Date.now() - heardAt > PONG_WITHIN) check();
}

/** The browser may keep the page without running it; the server would go on sending to a connection that nobody reads. */
function putAway() {
  if (!socket || isStopped) return;
  const left = socket;
  clearTimeout(timer);
  socket = null;
  answered(Infinity);
  left.close(1000);
  state.connected = false;
  changed('connection');
  take({ type: 'lost' });
}

setInterval(() => {
  const hasSlept = Date.now() - lookedAt > 2 * LOOK_EVERY && lookedAt > 0;
  lookedAt = Date.now();
  const silence = document.visibilityState === 'visible' ? Math.min(SILENT_WHILE_SEEN, heartbeat) : heartbeat;
  if (hasSlept) wake();
  else if (Date.now() - heardAt > silence) check();
}, LOOK_EVERY);

/** Somebody is at the page. */
function used() {
  if (isOpen() && Date.now() - heardAt > SILENT_WHILE_USED && Date.now() - checkedAt > SILENT_WHILE_USED) check();
}

for (const type of ['keydown', 'pointerdown', 'focus']) addEventListener(type, used, { capture: true, passive: true });
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && wake());
document.addEventListener('freeze', putAway);
document.addEventListener('resume', wake);
addEventListener('pagehide', putAway);
addEventListener('pageshow', ({ persisted }) => {
  if (!persisted) return;
  // Somebody signed out in another window while this page was kept.
  if (!isStopped && !wasSignedIn()) return void take({ type: 'signed_out' });
  wake();
});

// The browser has no network any more, but a server on this machine may still be reachable: a ping tells.
addEventListener('offline', check);
addEventListener('online', wake);
