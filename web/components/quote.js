// The quoted message above a reply.

import { h, sanitised } from '../dom.js';
import { cut } from '../format.js';
import { nameMentions } from '../mentions.js';
import { person } from '../store.js';
import { texts } from '../texts.js';

const SHOWN = 160;

/** A message's text in one line. */
export function summary(message) {
  const parts = nameMentions(sanitised(message.html || ''));
  // Keeps lines and paragraphs apart.
  parts.querySelectorAll('br, p, li, pre, blockquote, td, th, h1, h2, h3, h4, h5, h6').forEach((part) => part.after(' '));
  const words = parts.textContent.trim().replace(/\s+/g, ' ');
  return cut(words || message.attachment?.filename || '', SHOWN);
}

/** `quoted` is the message; null if it was deleted, undefined while it is fetched. */
export function quoteElement(message, quoted) {
  if (quoted === null) return h('p', { class: 'quote is-gone' }, texts.message.originalGone);
  const link = `/rooms/${message.room_id}/@${message.reply_to_id}`;
  if (!quoted) return h('a', { class: 'quote', href: link, 'data-quotes': message.reply_to_id }, texts.message.originalLoading);
  return h('a', { class: 'quote', href: link, 'data-quotes': message.reply_to_id },
    h('b', { dir: 'auto', translate: 'no' }, person(quoted.creator_id).name), h('span', { dir: 'auto' }, summary(quoted)));
}
