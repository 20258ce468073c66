// Editing a message in place.

import { patch } from '../api.js';
import { h, onTouch } from '../dom.js';
import { byteLength, charactersOver } from '../format.js';
import { isComposing } from '../key.js';
import { hasVisible, toReadable, toStored, withoutEmptyLines } from '../mentions.js';
import { state } from '../store.js';
import { texts } from '../texts.js';
import { listenForMarks, takeChord } from './markdown-input.js';

/** Puts a text field in place of a message's text. `done(message)` is called with the saved message, or with nothing. */
export function editMessage(element, message, done) {
  const body = element.querySelector('.message-body');
  if (body.querySelector('.edit')) return void body.querySelector('.edit-box').focus();
  const words = body.querySelector('.message-text');
  const readable = toReadable(message.content);
  const input = h('textarea', { class: 'edit-box', rows: 1, dir: 'auto', 'aria-label': texts.message.editLabel, '.value': readable.text });
  const wrong = h('p', { class: 'form-error', role: 'alert' });
  const grow = () => {
    input.style.blockSize = 'auto';
    input.style.blockSize = `${input.scrollHeight + 2}px`;
  };
  const close = (saved) => {
    editor.remove();
    // The text may have been changed elsewhere meanwhile.
    const now = body.querySelector('.message-text');
    if (now) now.hidden = false;
    element.classList.remove('is-edited');
    done(saved);
  };
  const save = async () => {
    const text = withoutEmptyLines(input.value);
    if (text === withoutEmptyLines(readable.text)) return close();
    const content = toStored(text, readable.names);
    if (!hasVisible(content) && !message.attachment) return void (wrong.textContent = texts.message.editEmpty);
    const over = byteLength(content) - state.limits.content_limit;
    if (over > 0) return void (wrong.textContent = texts.composer.tooLong(charactersOver(over, content)));
    saveButton.disabled = true;
    try {
      close(await patch(`/api/messages/${message.id}`, { content }));
    } catch (problem) {
      wrong.textContent = problem.message;
      saveButton.disabled = false;
      input.focus();
    }
  };
  const saveButton = h('button', { type: 'button', class: 'button button-primary button-small', onclick: save }, texts.common.save);
  const editor = h('div', { class: 'edit' }, input, wrong, h('div', { class: 'row' }, saveButton,
    h('button', { type: 'button', class: 'button button-small', onclick: () => close() }, texts.common.cancel),
    onTouch() ? null : h('span', { class: 'edit-hint' }, texts.message.editHint)));
  listenForMarks(input);
  input.addEventListener('input', () => {
    wrong.textContent = '';
    grow();
  });
  editor.addEventListener('keydown', (event) => {
    event.stopPropagation();
    if (isComposing(event) || (event.target === input && takeChord(input, event))) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      close();
    } else if (event.key === 'Enter' && event.target === input && (event.ctrlKey || event.metaKey || (!event.shiftKey && !onTouch()))) {
      event.preventDefault();
      save();
    }
  });
  if (words) words.hidden = true;
  element.classList.add('is-edited');
  body.insertBefore(editor, words ? words.nextSibling : body.querySelector('.attachment, .embeds, .boosts'));
  grow();
  input.focus({ preventScroll: true });
  input.setSelectionRange(input.value.length, input.value.length);
  editor.scrollIntoView({ block: 'nearest' });
}
