// A password field whose content can be shown.

import { h, iconButton } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';
import { field } from './field.js';

/** Like `field`; `autocomplete` is `current-password` or `new-password`. */
export function passwordField(name, label, autocomplete, attributes = {}, hint = '') {
  const element = field(name, label, { type: 'password', autocomplete, required: true, autocapitalize: 'off', spellcheck: 'false', ...attributes }, hint);
  const input = element.querySelector('input');
  const eye = iconButton('eye', texts.entry.showPassword, () => {
    const show = input.type === 'password';
    input.type = show ? 'text' : 'password';
    eye.title = show ? texts.entry.hidePassword : texts.entry.showPassword;
    eye.setAttribute('aria-label', eye.title);
    eye.replaceChildren(icon(show ? 'eyeOff' : 'eye'));
    input.focus();
  });
  const box = h('div', { class: 'password-box' });
  input.replaceWith(box);
  box.append(input, eye);
  return element;
}
