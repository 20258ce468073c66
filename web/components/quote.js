// What a message answers, above it.

import { h, sanitised } from '../dom.js';
import { person } from '../store.js';
import { texts } from '../texts.js';

const SHOWN = 160;

/** A message's words in one line. */
export function summary(message) {
  const parts = sanitised(message.html || '');
  // Lines and paragraphs stay apart.
  parts.querySelectorAll('br, p, li, pre, blockquote, td, th, h1, h2, h3, h4, h5, h6').forEach((part) => part.after(' '));
  const words = parts.textContent.trim().replace(/\s+/g, ' ');
  return (words || message.attachment?.filename || '').slice(0, SHOWN);
}

/** `quoted` is the message; null once it is gone, undefined while it is asked for. */
export function quoteElement(message, quoted) {
  if (quoted === null) return h('p', { class: 'quote is-gone' }, texts.message.originalGone);
  const link = `/rooms/${message.room_id}/@${message.reply_to_id}`;
  if (!quoted) return h('a', { class: 'quote', href: link, 'data-quotes': message.reply_to_id }, texts.message.originalLoading);
  return h('a', { class: 'quote', href: link, 'data-quotes': message.reply_to_id },
    h('b', { dir: 'auto' }, person(quoted.creator_id).name), h('span', { dir: 'auto' }, summary(quoted)));
}
