// Where one writes.

import { fill, h, icon, iconButton } from '../dom.js';
import { draftOf, keepDraft } from '../drafts.js';
import { say } from '../live.js';
import { person, roomName, state } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';

const TYPING_EVERY = 2500;
const onTouch = matchMedia('(pointer: coarse)').matches;

/** `send(content, replyTo)` takes what was written; `editLast()` is asked for by the up arrow. */
export function composer(room, { send, editLast, members }) {
  let replyTo = null;
  let typed = 0;
  const input = h('textarea', {
    class: 'composer-input', rows: 1, dir: 'auto', 'aria-label': texts.writeTo(roomName(room)), placeholder: texts.writeTo(roomName(room)),
    enterkeyhint: onTouch ? 'enter' : 'send', maxlength: 65536, '.value': draftOf(room.id),
  });
  const answering = h('div', { class: 'composer-reply', hidden: true });
  const picker = h('div', { class: 'picker', role: 'listbox', hidden: true });
  const button = h('button', { type: 'submit', class: 'send-button', 'aria-label': texts.send, title: texts.send }, icon('send'));
  const element = h('form', { class: 'composer' }, picker, answering, h('div', { class: 'composer-box' }, input, button));

  const grow = () => {
    input.style.height = 'auto';
    input.style.height = `${Math.min(input.scrollHeight, innerHeight * 0.4)}px`;
    button.disabled = input.value.trim() === '';
  };
  const stopTyping = () => {
    if (typed) say({ type: 'typing', room_id: room.id, active: false });
    typed = 0;
  };
  const submit = () => {
    const content = input.value.trim();
    if (!content) return;
    send(content, replyTo?.id);
    input.value = '';
    keepDraft(room.id, '');
    setReply(null);
    typed = 0;
    grow();
    input.focus();
  };
  const setReply = (message) => {
    replyTo = message;
    answering.hidden = !message;
    if (message) {
      fill(answering, h('span', {}, texts.replyingTo(person(message.creator_id).name)), iconButton('close', texts.cancel, () => setReply(null)));
      input.focus();
    }
  };

  // Mentions: `@` and the beginning of any word of a name.
  let choice = 0;
  let found = [];
  const partial = () => /(?:^|\s)@([\p{L}\p{N}]*)$/u.exec(input.value.slice(0, input.selectionStart));
  const suggest = () => {
    const match = partial();
    const wanted = match?.[1].toLowerCase();
    found = match ? members().filter((user) => user.name.toLowerCase().split(/\s+/).some((word) => word.startsWith(wanted))).slice(0, 6) : [];
    picker.hidden = found.length === 0;
    choice = 0;
    draw();
  };
  const draw = () => fill(picker, found.map((user, place) => h('button', {
    type: 'button', role: 'option', 'aria-selected': place === choice ? 'true' : 'false', class: place === choice ? 'is-chosen' : '', tabindex: -1,
    onpointerdown: (event) => { event.preventDefault(); pick(user); },
  }, avatar(user, { size: 'small' }), user.name)));
  const pick = (user) => {
    const start = input.selectionStart - partial()[1].length - 1;
    input.setRangeText(`@[${user.name.replace(/[[\]]/g, '')}](user:${user.id}) `, start, input.selectionStart, 'end');
    found = [];
    picker.hidden = true;
    changedText();
  };

  const changedText = () => {
    keepDraft(room.id, input.value);
    grow();
    const now = Date.now();
    if (!input.value) stopTyping();
    else if (now - typed > TYPING_EVERY) {
      typed = now;
      say({ type: 'typing', room_id: room.id, active: true });
    }
  };
  const wrap = (mark, end = mark) => {
    const { selectionStart: from, selectionEnd: to } = input;
    input.setRangeText(mark + input.value.slice(from, to) + end, from, to, 'end');
    if (from === to) input.selectionStart = input.selectionEnd = from + mark.length;
    changedText();
  };

  input.addEventListener('input', () => { changedText(); suggest(); });
  input.addEventListener('blur', () => { stopTyping(); picker.hidden = true; });
  input.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const chord = event.ctrlKey || event.metaKey;
    if (!picker.hidden && ['ArrowDown', 'ArrowUp', 'Enter', 'Tab', 'Escape'].includes(event.key)) {
      event.preventDefault();
      event.stopPropagation();
      if (event.key === 'Escape') picker.hidden = true;
      else if (event.key === 'ArrowDown') choice = (choice + 1) % found.length;
      else if (event.key === 'ArrowUp') choice = (choice - 1 + found.length) % found.length;
      else return pick(found[choice]);
      return draw();
    }
    if (event.key === 'Enter' && (chord || (!event.shiftKey && !onTouch))) {
      event.preventDefault();
      submit();
    } else if (event.key === 'ArrowUp' && input.value === '') {
      if (editLast()) event.preventDefault();
    } else if (event.key === 'Escape' && replyTo) {
      setReply(null);
    } else if (chord && event.key === 'b') {
      event.preventDefault();
      wrap('**');
    } else if (chord && event.key === 'i') {
      event.preventDefault();
      wrap('_');
    } else if (chord && event.key === 'e') {
      event.preventDefault();
      wrap('`');
    }
  });
  element.addEventListener('submit', (event) => { event.preventDefault(); submit(); });
  queueMicrotask(grow);
  return { element, focus: () => { if (!onTouch) input.focus(); }, setReply, grow, rename: () => { input.placeholder = texts.writeTo(roomName(state.rooms.get(room.id) || room)); } };
}
