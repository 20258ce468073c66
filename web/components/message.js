// One message.

import { h, icon, iconButton, sanitised } from '../dom.js';
import { fullTime, timeOfDay } from '../format.js';
import { person, state } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';

/** `actions` are `{reply, edit, remove, more}`; `context` says whether it begins a group, and what it answers. */
export function messageElement(message, { first, quoted, actions }) {
  const author = person(message.creator_id);
  const mine = message.creator_id === state.me.id;
  const meant = message.mentions.includes(state.me.id);
  const at = new Date(message.created_at);
  const body = h('div', { class: 'message-body', dir: 'auto' });
  if (message.reply_to_id) body.append(quote(message, quoted));
  const text = h('div', { class: mine ? 'message-text is-mine' : 'message-text' }, sanitised(message.html));
  for (const mention of text.querySelectorAll('.mention[data-user-id]')) {
    const id = Number(mention.dataset.userId);
    // Renames follow.
    mention.textContent = `@${person(id).name}`;
    if (id === state.me.id) mention.classList.add('is-me');
  }
  body.append(text);
  if (message.edited_at) body.append(h('span', { class: 'message-edited', title: fullTime(new Date(message.edited_at)) }, texts.edited));
  return h('article', {
    class: `message${first ? ' is-first' : ''}${mine ? ' by-me' : ''}${meant ? ' is-meant' : ''}`,
    'data-id': message.id, id: `message-${message.id}`, tabindex: -1, 'aria-label': `${author.name}, ${timeOfDay(at)}`,
  },
  first ? avatar(author) : h('time', { class: 'message-aside', datetime: message.created_at, title: fullTime(at) }, timeOfDay(at)),
  h('div', { class: 'message-main' },
    first ? h('div', { class: 'message-head' }, h('span', { class: 'message-name' }, author.name),
      h('time', { datetime: message.created_at, title: fullTime(at) }, timeOfDay(at))) : null,
    body),
  h('div', { class: 'message-actions' },
    iconButton('reply', texts.reply, () => actions.reply(message)),
    mine ? iconButton('edit', texts.edit, () => actions.edit(message)) : null,
    iconButton('more', texts.more, (event) => actions.more(message, event.currentTarget), { 'aria-haspopup': 'menu' })));
}

function quote(message, quoted) {
  const link = `/rooms/${message.room_id}/@${message.reply_to_id}`;
  if (!quoted) return h('a', { class: 'quote', href: link }, texts.original);
  const text = sanitised(quoted.html).textContent.trim().replace(/\s+/g, ' ').slice(0, 120);
  return h('a', { class: 'quote', href: link }, h('b', {}, person(quoted.creator_id).name), ` · ${text}`);
}

/** A message that is on its way. */
export function pendingElement(item, { retry, discard }) {
  const waits = { sending: texts.sending, waiting: state.connected ? texts.sending : texts.waiting, failed: texts.failed }[item.status];
  return h('article', { class: `message is-first by-me is-pending is-${item.status}`, 'data-id': item.id },
    avatar(state.me),
    h('div', { class: 'message-main' },
      h('div', { class: 'message-head' }, h('span', { class: 'message-name' }, state.me.name), h('span', { class: 'message-state' }, waits)),
      h('div', { class: 'message-body', dir: 'auto' }, h('div', { class: 'message-text is-mine is-source' }, item.content)),
      item.status === 'failed' ? h('p', { class: 'message-failed', role: 'alert' }, item.why || '', ' ',
        h('button', { type: 'button', class: 'link', onclick: retry }, texts.retry), ' ',
        h('button', { type: 'button', class: 'link', onclick: discard }, texts.discard)) : null));
}

export function emptyElement(title, hint, ...more) {
  return h('div', { class: 'empty' }, h('span', { class: 'empty-flame' }, icon('flame')), h('h2', {}, title), hint ? h('p', {}, hint) : null, more);
}
