// What turning the second step on shows: the key for the app, the field of the code, the recovery codes.

import { copyButton } from '../clipboard.js';
import { h, sanitised } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';
import { field } from './field.js';

/** The code of an app. `isRecovery`: one of those for when the app is lost, which have letters too. */
export function codeField({ id = 'field-code', isRecovery = false, hint = '', ...attributes } = {}) {
  const words = texts.secondStep;
  return field('code', isRecovery ? words.recoveryCode : words.code, {
    id, required: true, autocomplete: isRecovery ? 'off' : 'one-time-code', inputmode: isRecovery ? 'text' : 'numeric', autocapitalize: 'off', spellcheck: 'false', maxlength: 64, dir: 'ltr', ...attributes,
  }, hint);
}

/** What an app needs, as a picture and as letters. */
export function newApp({ key, qr_svg: picture }) {
  const words = texts.secondStep;
  return h('div', { class: 'second-step' }, h('div', { class: 'qr', role: 'img', 'aria-label': words.qr }, sanitised(picture)),
    h('div', { class: 'second-step-key' }, h('span', {}, words.key), h('code', { class: 'copyable', tabindex: 0, dir: 'ltr', role: 'textbox', 'aria-readonly': 'true', 'aria-label': words.key }, key), copyButton(key.replaceAll(' ', ''))));
}

/** The codes for when the app is lost; they are shown this once. */
export function recoveryCodes(codes) {
  const words = texts.secondStep;
  const text = `${codes.join('\n')}\n`;
  return h('div', { class: 'second-step', tabindex: -1 }, h('ul', { class: 'recovery-codes', 'aria-label': words.recoveryCodes, dir: 'ltr' }, codes.map((code) => h('li', {}, h('code', {}, code)))),
    h('div', { class: 'row' }, copyButton(text), h('a', { class: 'button button-small', href: `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`, download: words.file }, icon('download'), words.download)));
}
