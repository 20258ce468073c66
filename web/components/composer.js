// The composer.

import { fill, h, iconButton, onTouch } from '../dom.js';
import { draftOf, keepDraft } from '../drafts.js';
import { byteLength, charactersLeft, charactersOver, cut, isolated } from '../format.js';
import { icon } from '../icons.js';
import { isComposing } from '../key.js';
import { hasVisible, toStored, withoutEmptyLines } from '../mentions.js';
import { say } from '../socket.js';
import { isNotes, others, person, roomName, state } from '../store.js';
import { texts } from '../texts.js';
import { enqueueFiles } from '../uploads.js';
import { chosenFiles } from './chosen-files.js';
import { formatBar } from './format-bar.js';
import { breakLine, inCode, insertText, listenForMarks, replaceRange, takeChord } from './markdown-input.js';
import { pickEmoji } from './pick-emoji.js';
import { summary } from './quote.js';
import { suggestions } from './suggestions.js';

const TYPING_EVERY = 2500;
/** From this many bytes below the limit on, the rest is shown. */
const NEAR = 4096;
const QUOTED = 140;

/** `send(content, replyTo)` and `upload(files, content, replyTo)` send; `editLast()` edits my last message; `members()` are the users who can be mentioned. */
export function composer(room, { send, editLast, members, upload }) {
  const draft = draftOf(room.id);
  let { names, reply } = draft;
  let typed = 0;
  let stored = '';
  const label = () => {
    const now = state.rooms.get(room.id) || room;
    return isNotes(now) ? texts.composer.writeNotes : texts.composer.writeTo(roomName(now));
  };
  /** Why nobody reads what is written here; empty if somebody does. */
  const unread = () => {
    const now = state.rooms.get(room.id) || room;
    const people = now.kind === 'direct' && !isNotes(now) ? others(now) : [];
    return people.length && people.every((user) => user.status !== 'active') ? texts.composer.nobodyReads(texts.message.listed(people.map((user) => user.name)), people.length) : '';
  };
  const noteId = `composer-note-${room.id}`;
  const input = h('textarea', {
    class: 'composer-input', rows: 1, dir: 'auto', 'aria-label': label(), placeholder: label(), 'aria-describedby': noteId, enterkeyhint: onTouch() ? 'enter' : 'send', '.value': draft.text,
  });
  const banner = h('div', { class: 'composer-reply', hidden: true });
  const note = h('p', { class: 'composer-note', id: noteId, hidden: true });
  const refused = h('p', { class: 'composer-note is-wrong', role: 'alert', hidden: true });
  const button = h('button', { type: 'submit', class: 'send-button', 'aria-label': texts.composer.send, title: texts.composer.send }, icon('send'));
  const picked = h('input', { type: 'file', multiple: true, hidden: true, tabindex: -1, 'aria-hidden': 'true', onchange: () => {
    // Clearing the value clears the list; without it the same file could not be chosen again.
    const files = [...picked.files];
    picked.value = '';
    addFiles(files);
  } });
  const files = chosenFiles(() => showState(), (why) => refuse(why));
  const bar = formatBar(input);
  const attach = iconButton('attach', texts.composer.attach, () => picked.click());
  const smile = iconButton('smile', texts.composer.emoji, () => {
    const at = [input.selectionStart, input.selectionEnd];
    pickEmoji(smile, (sign) => {
      if (!onTouch()) input.focus();
      replaceRange(input, ...at, sign);
    });
  }, { 'aria-haspopup': 'dialog', 'aria-expanded': 'false' });
  const element = h('form', { class: 'composer' },
    h('div', { class: 'composer-box' }, banner, files.element, bar.element, h('div', { class: 'composer-row' }, attach, bar.toggle, input, smile, button)), refused, note, picked);

  const grow = () => {
    if (CSS.supports('field-sizing', 'content')) return;
    input.style.blockSize = 'auto';
    input.style.blockSize = `${input.scrollHeight}px`;
  };
  const refuse = (why) => {
    refused.textContent = why;
    refused.hidden = !why;
  };

  /** Whether it can be sent, with a note if it cannot. */
  const showState = () => {
    stored = toStored(withoutEmptyLines(input.value), names, input.value.includes('@') ? members() : []);
    const left = state.limits.content_limit - byteLength(stored);
    button.disabled = left < 0 || (!hasVisible(stored) && files.count === 0);
    note.classList.toggle('is-wrong', left < 0);
    const words = left < 0 ? texts.composer.tooLong(charactersOver(-left, stored)) : left < NEAR ? texts.composer.left(charactersLeft(left, stored)) : !onTouch() && document.activeElement === input && inCode(input) ? texts.composer.inCode : unread();
    if (note.textContent !== words) note.textContent = words;
    note.hidden = !words;
  };
  const keep = () => keepDraft(room.id, { text: input.value, names, reply });
  const stopTyping = () => {
    if (typed) say({ type: 'typing', room_id: room.id, active: false });
    typed = 0;
  };
  const changedText = () => {
    keep();
    grow();
    showState();
    if (!input.value) stopTyping();
    else if (Date.now() - typed > TYPING_EVERY) {
      typed = Date.now();
      say({ type: 'typing', room_id: room.id, active: true });
    }
  };

  const submit = () => {
    showState();
    if (button.disabled) return;
    const chosen = files.take();
    if (chosen.length) (upload || ((list, content, replyTo) => enqueueFiles(room.id, list, { content, replyTo })))(chosen, stored, reply?.id);
    else send(stored, reply?.id);
    input.value = '';
    names = {};
    typed = 0;
    suggested.close();
    refuse('');
    drawReply(null);
    changedText();
    input.focus();
  };

  const drawReply = (target) => {
    reply = target;
    banner.hidden = !target;
    if (!target) return void fill(banner);
    fill(banner, icon('reply'), h('div', { class: 'composer-quote' }, h('b', { translate: 'no' }, texts.composer.replyingTo(isolated(person(target.creator_id).name))), h('span', { dir: 'auto' }, target.excerpt)),
      iconButton('close', texts.composer.cancelReply, () => { setReply(null); input.focus(); }));
  };
  const setReply = (message) => {
    drawReply(message && { id: message.id, creator_id: message.creator_id, excerpt: excerptOf(message) });
    keep();
    if (message) input.focus();
  };
  const addFiles = async (list) => {
    refuse('');
    await files.add(list);
    if (!onTouch() && files.count) input.focus();
  };

  const take = ({ from, to, text }) => {
    if (document.activeElement !== input) input.focus();
    // An existing space is not doubled.
    const end = text.endsWith(' ') && input.value[to] === ' ' ? to + 1 : to;
    replaceRange(input, from, end, text);
    suggested.close();
  };
  const suggested = suggestions(input, element, { room, members, names: () => names, onpick: take });
  listenForMarks(input);
  input.addEventListener('input', (event) => {
    changedText();
    // Keyboards of phones compose every word: the list follows while they do.
    suggested.update();
  });
  input.addEventListener('compositionend', () => suggested.update());
  input.addEventListener('click', () => suggested.update());
  input.addEventListener('keyup', (event) => {
    if (/^(Arrow(Left|Right)|Home|End|Page)/.test(event.key)) suggested.update();
    if (/^(Arrow|Home|End|Page)/.test(event.key)) showState();
  });
  input.addEventListener('blur', () => { stopTyping(); suggested.close(); showState(); });
  input.addEventListener('paste', (event) => {
    const { files: pasted, types } = event.clipboardData;
    // Spreadsheets put a picture of the cells beside their text: the text is used.
    if (!pasted.length || types.includes('text/plain')) return;
    event.preventDefault();
    addFiles([...pasted]);
  });
  input.addEventListener('keydown', (event) => {
    if (isComposing(event)) return;
    if (suggested.take(event) || takeChord(input, event)) return;
    const chord = event.ctrlKey || event.metaKey;
    if (event.key === 'Enter' && !event.altKey) {
      event.preventDefault();
      if (chord || !(event.shiftKey || onTouch() || inCode(input))) submit();
      else breakLine(input);
    } else if (event.key === 'ArrowUp' && input.value === '' && files.count === 0 && !chord && !event.shiftKey) {
      if (editLast()) event.preventDefault();
    } else if (event.key === 'Escape' && reply) {
      event.stopPropagation();
      setReply(null);
    }
  });
  element.addEventListener('submit', (event) => { event.preventDefault(); submit(); });
  // Keeps a phone's keyboard open.
  button.addEventListener('pointerdown', (event) => event.preventDefault());

  drawReply(reply);
  queueMicrotask(() => { grow(); showState(); });
  return {
    element, setReply, addFiles, grow,
    /** Another window may have stored its own draft. */
    keep: () => { if (input.value) keep(); },
    /** The message to reply to was deleted. */
    replyGone: (id) => { if (reply?.id === id) setReply(null); },
    focus: () => { if (!onTouch()) input.focus(); },
    insert: (text) => insertText(input, text),
    /** Somebody has another name. `known(id)` is a message that is shown. */
    rename: (known = () => null) => {
      const answered = reply && known(reply.id);
      if (reply) drawReply(answered ? { ...reply, excerpt: excerptOf(answered) } : reply);
      input.placeholder = label();
      input.setAttribute('aria-label', label());
      showState();
    },
  };
}

/** The beginning of a message, or its file's name. */
const excerptOf = (message) => cut(summary(message), QUOTED);
