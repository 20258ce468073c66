// Uploads: files are sent in order, two at a time, each as a message of its own.

import { Problem, intercepted, understood } from './api.js';
import { sizeText } from './format.js';
import { listen } from './live.js';
import { confirm } from './outbox.js';
import { posterOf } from './poster.js';
import { changed, state } from './store.js';
import { texts } from './texts.js';

const AT_ONCE = 2;
/** From this many bytes on, a file takes longer to send than the server takes for a thumbnail. */
const OVERLAPS = 4 << 20;
/** So often is a busy server asked again. */
const MOST_TRIES = 6;

/** `{id, room_id, file, name, size, progress, status, why, preview_url}`. The id is the `client_message_id`, which makes a second try safe. */
let items = [];

const newId = () => (crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2)}`);

/** Whether a browser can show the file before it is sent. */
export const isPreviewable = (file) => /^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(file.type);

export const uploadsIn = (roomId) => items.filter((item) => item.room_id === roomId && item.user_id === state.me?.id);

/** Sends files to a room. The text and the reply go with the first. */
export function enqueueFiles(roomId, files, { content = '', replyTo } = {}) {
  for (const [place, file] of [...files].entries()) {
    items.push({
      id: newId(), user_id: state.me.id, room_id: roomId, file, name: file.name, size: file.size, progress: 0, status: 'waiting', why: '', tries: 0, at: new Date().toISOString(),
      content: place === 0 ? content : '', reply_to_id: place === 0 ? replyTo : undefined, preview_url: isPreviewable(file) ? URL.createObjectURL(file) : null,
    });
  }
  changed('uploads');
  next();
}

export function cancelUpload(id) {
  const item = items.find((found) => found.id === id);
  if (!item) return;
  drop(item);
  item.request?.abort();
  next();
}

export function retryUpload(id) {
  const item = items.find((found) => found.id === id);
  if (!item || item.status !== 'failed') return;
  Object.assign(item, { status: 'waiting', why: '', progress: 0, tries: 0 });
  changed('uploads');
  next();
}

export const areUploading = () => items.some((item) => item.status !== 'failed');

/** At sign-out. */
export function dropUploads() {
  for (const item of [...items]) {
    drop(item);
    item.request?.abort();
  }
}

function drop(item) {
  items = items.filter((other) => other !== item);
  clearTimeout(item.timer);
  if (item.preview_url) URL.revokeObjectURL(item.preview_url);
  changed('uploads');
}

function next() {
  const mine = items.filter((item) => item.user_id === state.me?.id);
  for (const item of mine.filter((found) => found.status === 'waiting' && !found.timer)) {
    if (mine.filter((other) => other.status === 'sending').length >= AT_ONCE) return;
    const before = mine.slice(0, mine.indexOf(item)).filter((other) => other.room_id === item.room_id && other.status !== 'failed');
    if (before.every((other) => comesAfter(item, other))) send(item);
  }
}

/** Whether a file can start now and still arrive after the one before it, so that their order is kept. */
const comesAfter = (item, before) => before.status === 'sending' && item.size > OVERLAPS && before.size * (1 - before.progress) < item.size / 2;

async function send(item) {
  Object.assign(item, { status: 'sending', progress: 0 });
  if (item.poster === undefined) {
    item.poster = /^video\//.test(item.file.type) ? await posterOf(item.file) : null;
    // It may have been cancelled meanwhile.
    if (!items.includes(item)) return;
  }
  const form = new FormData();
  // The server needs the text by the time it has the file.
  if (item.content) form.append('content', item.content);
  if (item.reply_to_id) form.append('reply_to_id', String(item.reply_to_id));
  form.append('client_message_id', item.id);
  if (item.poster) form.append('poster', item.poster, 'poster.jpg');
  form.append('file', item.file, item.name);
  const request = new XMLHttpRequest();
  item.request = request;
  request.open('POST', `/api/rooms/${item.room_id}/attachments`);
  request.upload.addEventListener('progress', ({ loaded, total }) => {
    item.progress = total ? loaded / total : 0;
    item.show?.();
    next();
  });
  request.addEventListener('load', () => answered(item, request));
  request.addEventListener('error', () => failed(item, new Problem(0, {})));
  request.send(form);
  changed('uploads');
}

function answered(item, request) {
  let message;
  try {
    message = understood(request.status, request.getResponseHeader('content-type') || '', request.responseText);
    if (!message?.id) throw intercepted();
  } catch (problem) {
    return failed(item, problem);
  }
  drop(item);
  confirm(message);
  next();
}

function failed(item, problem) {
  if (!items.includes(item)) return;
  // The message it replies to was deleted: it is sent without the reply.
  const answersNothing = Boolean(problem.fields.reply_to_id);
  if (answersNothing) delete item.reply_to_id;
  const again = answersNothing || (problem.status === 429 || problem.status === 503) && item.tries < MOST_TRIES;
  Object.assign(item, { progress: 0, status: again ? 'waiting' : 'failed', why: again ? '' : reason(problem), offline: problem.status === 0 });
  if (again) {
    item.tries += 1;
    item.timer = setTimeout(() => {
      item.timer = 0;
      next();
    }, problem.retryAfterMs || item.tries * 1000);
  }
  changed('uploads');
  next();
}

/** Why it was not sent, in a sentence to show. */
function reason(problem) {
  if (problem.status === 413) return texts.media.tooLarge(problem.limit ? sizeText(problem.limit) : '');
  if (problem.status === 507) return texts.media.noSpace;
  if (problem.status === 404) return texts.media.roomGone;
  if (problem.status === 429 || problem.status === 503) return texts.media.busy;
  if (problem.status === 0) return state.connected && navigator.onLine !== false ? texts.media.broken : texts.media.offline;
  return problem.message;
}

listen((event) => {
  // The room's events have it, so it was sent, even if the answer was lost.
  if (event.type === 'message.created' && event.message.client_message_id) {
    const item = items.find((found) => found.id === event.message.client_message_id);
    if (item) {
      drop(item);
      next();
    }
  }
  if (event.type === 'back') resume();
});

/** Uploads that failed for want of a connection are sent again. */
const resume = () => items.filter((item) => item.status === 'failed' && item.offline).forEach((item) => retryUpload(item.id));

addEventListener('online', resume);

addEventListener('beforeunload', (event) => {
  if (areUploading()) event.preventDefault();
});
