// A picture that can be changed by choosing, dropping or pasting a file.

import { h } from '../../dom.js';
import { icon } from '../../icons.js';
import { texts } from '../../texts.js';

const pictureOf = (transfer) => [...(transfer?.files || [])].find((file) => file.type.startsWith('image/'));

/** `take(file)` may throw to refuse. `more` is shown beside the button. With `paste`, a signal, a paste anywhere on the page counts until it is aborted. */
export function pictureField({ picture, label, hint = '', take, more = null, paste = null }) {
  const wrong = h('p', { class: 'field-error', role: 'alert' });
  const took = async (file) => {
    wrong.textContent = '';
    if (!file) return void (wrong.textContent = texts.settings.crop.unreadable);
    try {
      await take(file);
    } catch (problem) {
      wrong.textContent = problem.message;
    }
  };
  const input = h('input', { type: 'file', accept: 'image/*', hidden: true, onchange: () => {
    if (input.files[0]) took(input.files[0]);
    input.value = '';
  } });
  const element = h('div', { class: 'picture-field' }, picture, h('div', { class: 'picture-field-text' },
    h('div', { class: 'row' }, h('button', { type: 'button', class: 'button button-small', onclick: () => input.click() }, icon('camera'), label), more), hint ? h('p', { class: 'field-hint' }, hint) : null, wrong), input);
  element.addEventListener('dragover', (event) => {
    event.preventDefault();
    element.classList.add('is-over');
  });
  element.addEventListener('dragleave', () => element.classList.remove('is-over'));
  element.addEventListener('drop', (event) => {
    event.preventDefault();
    element.classList.remove('is-over');
    took(pictureOf(event.dataTransfer));
  });
  if (paste) {
    addEventListener('paste', (event) => {
      const file = pictureOf(event.clipboardData);
      if (!file || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      took(file);
    }, { signal: paste });
  }
  return element;
}
