// A message, and a pending one that is being sent.

import { copyText } from '../clipboard.js';
import { showEmoji } from '../custom-emoji.js';
import { h, iconButton, sanitised } from '../dom.js';
import { fullTime, looksEmojiOnly, timeOfDay } from '../format.js';
import { mentionParts, mentionsMe, nameMentions } from '../mentions.js';
import { person, state } from '../store.js';
import { texts } from '../texts.js';
import { attachmentElement } from './attachment.js';
import { avatar } from './avatar.js';
import { boostsElement } from './boosts.js';
import { embedsElement, isUnderPreview } from './embeds.js';
import { quoteElement } from './quote.js';
import { soundElement } from './sounds.js';

/** Longer messages are folded. Lines are counted, not measured: measuring would force a layout for every message. */
const FOLDED_LINES = 40;
const LINE_LENGTH = 80;
/** Letters of Hebrew, Arabic and the other scripts that run from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;
const PERMALINK = /^\/rooms\/\d+\/@?\d+$/;

const isMine = (message) => message.creator_id === state.me.id;
const isMeant = (message) => !isMine(message) && mentionsMe(message);
const textClass = (isOwn, isEmojiOnly) => `message-text${isOwn ? ' is-mine' : ''}${isEmojiOnly ? ' is-emoji-only' : ''}`;

/** `isFirst`: it begins a group and shows its author. `quoted`: the message it replies to; null if deleted, undefined if not loaded. */
export function messageElement(message, { isFirst, quoted }) {
  const element = h('article', { tabindex: -1 });
  fillMessage(element, message, { isFirst, quoted });
  return element;
}

/** Fills an element with a message: a new element, or that of the pending message. */
export function fillMessage(element, message, { isFirst, quoted }) {
  const at = new Date(message.created_at);
  const author = person(message.creator_id);
  element.className = ['message', isFirst && 'is-first', isMine(message) && 'by-me', isMeant(message) && 'is-meant', message.kind === 'system' && 'is-system'].filter(Boolean).join(' ');
  element.dataset.id = message.id;
  element.id = `message-${message.id}`;
  element.setAttribute('aria-label', texts.message.by(author.name, timeOfDay(at)));
  element.replaceChildren(
    isFirst ? faceElement(author) : asideTime(message, at),
    h('div', { class: 'message-main' }, isFirst ? headElement(author, message, at) : null, bodyElement(message, quoted)));
}

const faceElement = (user) => h('button', { type: 'button', class: 'message-face', tabindex: -1, 'aria-hidden': 'true', 'data-user-id': user.id }, avatar(user));

const headElement = (author, message, at) => h('div', { class: 'message-head' },
  h('button', { type: 'button', class: 'message-name', tabindex: -1, dir: 'auto', translate: 'no', 'data-user-id': author.id }, author.name),
  h('time', { datetime: message.created_at, title: fullTime(at) }, timeOfDay(at)));

const asideTime = (message, at) => h('time', { class: 'message-aside', datetime: message.created_at, title: fullTime(at) }, timeOfDay(at));

function bodyElement(message, quoted) {
  return h('div', { class: 'message-body', dir: 'auto' },
    message.reply_to_id ? quoteElement(message, quoted) : null,
    message.kind === 'sound' ? soundElement(message) : textElement(message), fileElement(message), embedsElement(message), boostsElement(message));
}

/** The timeline handles `openpicture`: it knows the other pictures. */
function fileElement(message) {
  if (!message.attachment) return null;
  const element = attachmentElement(message, { open: (id) => element.dispatchEvent(new CustomEvent('openpicture', { bubbles: true, detail: id })) });
  return element;
}

function textElement(message) {
  if (!message.html && !message.edited_at) return null;
  const text = h('div', { class: textClass(isMine(message), message.is_emoji_only) }, sanitised(message.html));
  nameMentions(text);
  text.querySelectorAll('code').forEach((code) => { code.translate = false; });
  text.querySelectorAll('ol').forEach(makeRoomForNumbers);
  if (RIGHT_TO_LEFT.test(message.content)) turn(text);
  text.querySelectorAll('pre').forEach(dressCode);
  if (text.querySelector('pre > code[class]')) colour(text);
  text.querySelectorAll('table').forEach((table) => {
    const frame = h('div', { class: 'table-frame', tabindex: 0, role: 'group', 'aria-label': texts.message.table });
    table.replaceWith(frame);
    frame.append(table);
  });
  text.querySelectorAll('li > input').forEach((box) => box.setAttribute('aria-label', box.parentElement.textContent.trim()));
  text.querySelectorAll('a[href]').forEach(keepOwnLinks);
  // The card below says where it leads.
  text.classList.toggle('is-under-preview', isUnderPreview(message, text));
  showEmoji(text);
  if (message.edited_at) markEdited(text, message);
  if (isLong(message.content)) fold(text);
  return text;
}

/** Numbers of more than two digits take more room before the list than the style sheet gives. */
function makeRoomForNumbers(list) {
  const digits = String(Math.max(Math.abs(list.start), Math.abs(list.start + list.children.length - 1))).length + (list.start < 0 ? 1 : 0);
  if (digits > 2) list.style.paddingInlineStart = `${digits + 1.5}ch`;
}

/**
 * Each paragraph has the direction of its own first letter, and so has each list with its marks, and each quote with its line.
 * `dir="auto"` would not do: of a quote it passes over the paragraphs that have a `dir`.
 */
function turn(element) {
  for (const part of element.querySelectorAll('p, li, ul, ol, blockquote, h1, h2, h3, h4, h5, h6, table, th, td')) {
    const letter = /\p{L}/u.exec(part.textContent)?.[0];
    if (letter) part.setAttribute('dir', RIGHT_TO_LEFT.test(letter) ? 'rtl' : 'ltr');
  }
  element.querySelectorAll('pre').forEach((part) => part.setAttribute('dir', 'ltr'));
}

/** The highlighter is loaded with the first code. */
async function colour(text) {
  const { highlight } = await import('./highlight.js').catch(() => ({}));
  highlight?.(text);
}

function dressCode(pre) {
  pre.tabIndex = 0;
  pre.translate = false;
  const frame = h('div', { class: 'code-frame' }, iconButton('copy', texts.message.copyCode, () => copyText(pre.textContent), { tabindex: -1 }));
  pre.replaceWith(frame);
  frame.prepend(pre);
}

/** Links to messages of this server open in place. */
function keepOwnLinks(link) {
  if (link.origin === location.origin && PERMALINK.test(link.pathname)) link.removeAttribute('target');
}

function markEdited(text, message) {
  const mark = h('span', { class: 'message-edited', title: fullTime(new Date(message.edited_at)) }, texts.message.edited);
  const last = text.lastElementChild;
  (last?.tagName === 'P' && !message.is_emoji_only ? last : text).append(' ', mark);
}

function isLong(content) {
  let lines = 0;
  for (const line of content.split('\n')) lines += Math.max(1, Math.ceil(line.length / LINE_LENGTH));
  return lines > FOLDED_LINES;
}

function fold(text) {
  text.classList.add('is-folded');
  const more = h('button', { type: 'button', class: 'fold-button', 'aria-expanded': 'false', onclick: () => {
    const isFolded = text.classList.toggle('is-folded');
    more.textContent = isFolded ? texts.message.showMore : texts.message.showLess;
    more.setAttribute('aria-expanded', String(!isFolded));
  } }, texts.message.showMore);
  text.append(more);
}

/** Updates an element to its message's new state. Only what differs is replaced, so that nothing restarts or loses the focus. */
export function refreshMessage(element, before, message, quoted) {
  const body = element.querySelector('.message-body');
  if (message.kind !== 'sound' && (before.html !== message.html || before.edited_at !== message.edited_at)) {
    const isOpen = body.querySelector('.fold-button[aria-expanded="true"]');
    const text = textElement(message);
    // If it is being edited here, that goes on.
    if (text) text.hidden = Boolean(body.querySelector('.edit'));
    place(body, '.message-text', text, '.attachment, .embeds, .boosts');
    if (isOpen) body.querySelector('.fold-button')?.click();
    element.classList.toggle('is-meant', isMeant(message));
  }
  if (before.embeds !== message.embeds) {
    place(body, '.embeds', embedsElement(message), '.boosts');
    const text = body.querySelector(':scope > .message-text');
    text?.classList.toggle('is-under-preview', isUnderPreview(message, text));
  }
  if (message.reply_to_id) body.querySelector('.quote')?.replaceWith(quoteElement(message, quoted));
  refreshBoosts(element, message);
}

/** Replaces a part, or inserts it before those that come after it. */
function place(body, selector, part, after) {
  const old = body.querySelector(`:scope > ${selector}`);
  if (old && part) old.replaceWith(part);
  else if (old) old.remove();
  else if (part) body.insertBefore(part, after ? body.querySelector(`:is(${after})`) : null);
}

export function refreshBoosts(element, message) {
  const body = element.querySelector('.message-body');
  const focused = body.querySelector('.boosts')?.contains(document.activeElement) ? document.activeElement.dataset.boost : null;
  place(body, '.boosts', boostsElement(message), '');
  if (focused !== null) [...body.querySelectorAll('[data-boost]')].find((pill) => pill.dataset.boost === focused)?.focus();
}

/** Updates names and pictures of users. */
export function refreshPeople(element, message, quoted) {
  const author = person(message.creator_id);
  const name = element.querySelector('.message-name');
  if (name && name.textContent !== author.name) {
    name.textContent = author.name;
    element.setAttribute('aria-label', texts.message.by(author.name, timeOfDay(new Date(message.created_at))));
  }
  const face = element.querySelector('.message-face .avatar');
  const now = face && avatar(author);
  if (face && !face.isEqualNode(now)) face.replaceWith(now);
  nameMentions(element);
  const boosts = element.querySelector('.boosts');
  if (boosts && !boosts.contains(document.activeElement) && message.boosts) refreshBoosts(element, message);
  if (message.reply_to_id) element.querySelector('.quote')?.replaceWith(quoteElement(message, quoted));
}

/** Writes the times anew, for another time zone. */
export function refreshTimes(element, message) {
  const at = new Date(message.created_at);
  element.setAttribute('aria-label', texts.message.by(person(message.creator_id).name, timeOfDay(at)));
  for (const time of element.querySelectorAll('.message-head > time, .message-aside')) Object.assign(time, { textContent: timeOfDay(at), title: fullTime(at) });
  const edited = element.querySelector('.message-edited');
  if (edited) edited.title = fullTime(new Date(message.edited_at));
}

/** A pending message. Its element becomes the message's. */
export function pendingElement(item, { isFirst, quoted, retry, discard }) {
  const element = h('article', { tabindex: -1, 'data-id': item.id, 'data-pending': item.id });
  fillPending(element, item, { isFirst, quoted, retry, discard });
  return element;
}

export function fillPending(element, item, { isFirst, quoted, retry, discard }) {
  const at = new Date(item.at);
  const message = { id: item.id, room_id: item.room_id, creator_id: state.me.id, created_at: item.at, reply_to_id: item.reply_to_id };
  element.className = `message by-me is-pending is-${item.status}${isFirst ? ' is-first' : ''}`;
  element.setAttribute('aria-label', texts.message.by(state.me.name, timeOfDay(at)));
  element.replaceChildren(
    isFirst ? faceElement(state.me) : asideTime(message, at),
    h('div', { class: 'message-main' }, isFirst ? headElement(state.me, message, at) : null,
      h('div', { class: 'message-body', dir: 'auto' },
        item.reply_to_id ? quoteElement(message, quoted) : null,
        showEmoji(h('div', { class: textClass(true, looksEmojiOnly(item.content)) }, sourceParts(item.content))),
        stateElement(item, retry, discard))));
}

function stateElement(item, retry, discard) {
  if (item.status === 'failed') {
    return h('p', { class: 'message-failed', role: 'alert' }, h('span', {}, texts.message.failed(item.why || '')),
      h('button', { type: 'button', class: 'link', onclick: retry }, texts.common.retry),
      h('button', { type: 'button', class: 'link', onclick: discard }, texts.message.discard));
  }
  if (!state.connected || item.isHeld) return h('p', { class: 'message-state' }, texts.message.waiting);
  // It comes into view only where the server takes long.
  return h('p', { class: 'message-state is-late' }, item.isPaced ? texts.message.paced : texts.message.sending);
}

/** The source, close enough to the rendered message that nothing moves when that arrives. */
function sourceParts(content) {
  return content.split(/\n{2,}/).map((paragraph) => h('p', { class: 'is-source' }, mentionParts(paragraph).map((part, place) => (place % 2 ? h('span', { class: 'mention' }, part) : part))));
}
