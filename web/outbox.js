// What was written and is not yet said: kept on this device until the server has it, in order.

import { Problem, post } from './api.js';
import { isOpen } from './live.js';
import { changed, state } from './store.js';

const KEY = 'campfire.outbox';

/** `{id, room_id, content, reply_to_id, at, status}`; the id is the `client_message_id`, which makes a second try safe. */
let items = load();
let sending = false;
const confirmed = new Set();

function load() {
  try {
    return JSON.parse(localStorage.getItem(KEY) || '[]').map((item) => ({ ...item, status: 'waiting' }));
  } catch {
    return [];
  }
}

function keep() {
  try {
    localStorage.setItem(KEY, JSON.stringify(items));
  } catch {
    // A full or forbidden storage loses the queue at a reload, not now.
  }
  changed('outbox');
}

export const pendingIn = (roomId) => items.filter((item) => item.room_id === roomId && item.user_id === state.me.id);

/** Calls back with each message that the server has confirmed. */
export function onConfirmed(callback) {
  confirmed.add(callback);
  return () => confirmed.delete(callback);
}

export function enqueue(roomId, content, replyTo) {
  const id = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2)}`;
  items.push({ id, user_id: state.me.id, room_id: roomId, content, reply_to_id: replyTo || undefined, at: new Date().toISOString(), status: 'waiting' });
  keep();
  flush();
}

export function retry(id) {
  const item = items.find((found) => found.id === id);
  if (item) item.status = 'waiting';
  keep();
  flush();
}

export function discard(id) {
  items = items.filter((item) => item.id !== id);
  keep();
}

/** The room's events have it: it is said, whether or not the answer came. */
export function settled(clientMessageId) {
  if (items.some((item) => item.id === clientMessageId)) discard(clientMessageId);
}

/** Sends what waits, one after the other, so that the order is kept. */
export async function flush() {
  if (sending) return;
  sending = true;
  try {
    for (;;) {
      const item = items.find((found) => found.status === 'waiting' && found.user_id === state.me?.id);
      if (!item || !isOpen()) break;
      item.status = 'sending';
      changed('outbox');
      try {
        const message = await post('/api/messages', {
          room_id: item.room_id, content: item.content, client_message_id: item.id, reply_to_id: item.reply_to_id,
        });
        discard(item.id);
        for (const callback of [...confirmed]) callback(message);
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        if (problem.status === 429 || problem.status === 503) {
          item.status = 'waiting';
          changed('outbox');
          await new Promise((done) => setTimeout(done, (problem.retryAfter || 1) * 1000));
        } else if (problem.status === 0) {
          // It goes out when the connection is back.
          item.status = 'waiting';
          break;
        } else {
          item.status = 'failed';
          item.why = problem.message;
          keep();
        }
      }
    }
  } finally {
    sending = false;
    changed('outbox');
  }
}
