// The outbox: messages are kept on this device until the server has them, and sent in order.
//
// Each item has an entry of its own in the storage and belongs to one window, so that two windows neither send the same
// item nor overwrite each other's. Items that a closed window left are taken over. Should two windows take over the same
// item, `client_message_id` makes the second post harmless.

import { Problem, intercepted, post } from './api.js';
import { changed, state } from './store.js';
import { texts } from './texts.js';

const PREFIX = 'campfire.outbox.';
const WINDOW = 'campfire.window';
/** The longest wait for an answer, in milliseconds; then it is sent again, which is safe. */
const ANSWER_MS = 20000;
const AGAIN_MS = 3000;
/** Without locks, an item of another window counts as left after this time. */
const LEFT_AFTER_MS = 60000;

const windowId = randomId();
const confirmed = new Set();
let items = [];
let isSending = false;
let again = 0;

function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function keep(item) {
  try {
    localStorage.setItem(PREFIX + item.id, JSON.stringify(item));
  } catch {
    // Storage is full or forbidden: a reload would lose the item.
  }
}

function forget(id) {
  items = items.filter((item) => item.id !== id);
  try {
    localStorage.removeItem(PREFIX + id);
  } catch {
    // It was never kept.
  }
  changed('outbox');
}

function stored() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).map(read);
  } catch {
    return [];
  }
}

/** Null for an entry that cannot be parsed: it must not keep the others from being sent. */
function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

/** Takes over the items of windows that were closed. */
async function adopt() {
  const left = stored().filter((item) => item && item.owner !== windowId);
  if (!left.length) return;
  const living = await livingWindows();
  const before = previousWindow();
  const isOld = (item) => (living ? !living.has(item.owner) : Date.now() - Date.parse(item.at) > LEFT_AFTER_MS);
  const isLeft = (item) => item.owner === before || isOld(item);
  for (const item of left.filter(isLeft)) {
    if (items.some((known) => known.id === item.id)) continue;
    const mine = { ...item, owner: windowId, status: item.status === 'failed' ? 'failed' : 'waiting' };
    keep(mine);
    items.push(mine);
  }
  items.sort((a, b) => (a.at < b.at ? -1 : 1));
  changed('outbox');
  flush();
}

/** The ids of the open windows, by the locks they hold; null where there are no locks (as without TLS). */
async function livingWindows() {
  if (!navigator.locks) return null;
  const { held } = await navigator.locks.query();
  return new Set(held.map(({ name }) => name.replace(`${WINDOW}.`, '')));
}

/** This window's id before it was reloaded. */
function previousWindow() {
  try {
    return sessionStorage.getItem(WINDOW);
  } catch {
    return null;
  }
}

function beginWindow() {
  navigator.locks?.request(`${WINDOW}.${windowId}`, () => new Promise(() => {}));
  adopt().finally(() => {
    try {
      sessionStorage.setItem(WINDOW, windowId);
    } catch {
      // After a reload the items are then taken over only after a minute.
    }
  });
  setInterval(adopt, LEFT_AFTER_MS);
  addEventListener('storage', ({ key, newValue }) => {
    if (key?.startsWith(PREFIX) && newValue === null && items.some((item) => PREFIX + item.id === key)) forget(key.slice(PREFIX.length));
  });
}

beginWindow();

/** `{id, room_id, content, reply_to_id, at, status: 'waiting'|'sending'|'failed', why, isHeld}`, in order. The id is the `client_message_id`; `isHeld` means that the server was not reached. */
export const pendingIn = (roomId) => items.filter((item) => item.room_id === roomId && item.user_id === state.me.id);

/** Calls back with each message that the server has confirmed; returns a function that stops it. */
export function onConfirmed(callback) {
  confirmed.add(callback);
  return () => confirmed.delete(callback);
}

/** Announces a message that the server has, whichever way it was sent. */
export function confirm(message) {
  for (const callback of [...confirmed]) callback(message);
}

/** Queues a text; returns the item. */
export function enqueue(roomId, content, replyTo) {
  const item = { id: randomId(), owner: windowId, user_id: state.me.id, room_id: roomId, content, reply_to_id: replyTo || undefined, at: new Date().toISOString(), status: 'waiting' };
  items.push(item);
  // It is drawn before it is stored and sent.
  queueMicrotask(() => {
    keep(item);
    flush();
  });
  changed('outbox');
  return item;
}

export function retry(id) {
  const item = items.find((found) => found.id === id);
  if (!item) return;
  mark(item, 'waiting');
  flush();
}

export function discard(id) {
  forget(id);
}

/** The room's events have the message, so it was sent, even if the answer was lost. */
export function settled(clientMessageId) {
  if (items.some((item) => item.id === clientMessageId)) forget(clientMessageId);
}

function mark(item, status, why) {
  if (!items.includes(item)) return;
  item.status = status;
  item.why = why;
  if (status !== 'sending') keep(item);
  changed('outbox');
}

/** Sends waiting items one after the other, so that their order is kept. */
export async function flush() {
  if (isSending || !state.me || !state.connected) return;
  isSending = true;
  clearTimeout(again);
  try {
    for (let item = next(); item && await send(item);) item = next();
  } finally {
    isSending = false;
  }
}

const next = () => items.find((item) => item.status === 'waiting' && item.user_id === state.me?.id);

/** False if the remaining items have to wait. */
async function send(item) {
  mark(item, 'sending');
  try {
    const message = await answerTo(item);
    if (!message?.id) throw intercepted();
    forget(item.id);
    confirm(message);
    return true;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return refused(item, problem);
  }
}

function answerTo(item) {
  const late = new Promise((_, fail) => setTimeout(fail, ANSWER_MS, new Problem(0, {})));
  return Promise.race([late, post('/api/messages', {
    room_id: item.room_id, content: item.content, client_message_id: item.id, reply_to_id: item.reply_to_id,
  })]);
}

/** After a temporary failure the item waits; after any other the user decides. Returns whether the next item may be sent. */
function refused(item, problem) {
  // The message it replies to was deleted: it is sent without the reply.
  if (problem.fields.reply_to_id) {
    delete item.reply_to_id;
    mark(item, 'waiting');
    return true;
  }
  const passes = [0, 401, 408, 429, 502, 503, 504].includes(problem.status) && problem.code !== 'intercepted';
  if (!passes) {
    mark(item, 'failed', problem.status === 404 ? texts.message.roomGone : problem.message);
    return true;
  }
  item.isHeld = problem.status !== 429;
  item.isPaced = problem.status === 429;
  mark(item, 'waiting');
  // Without a connection, `flush` is called when it is back.
  if (state.connected) again = setTimeout(flush, problem.retryAfterMs || AGAIN_MS);
  return false;
}
