// Dialogs: the browser's own, so that focus and Esc are right.

import { h, iconButton, onTouch } from '../dom.js';
import { texts } from '../texts.js';

let count = 0;

/** Where the focus goes if the element that opened the dialog is gone. On touch screens the composer would open the keyboard. */
const place = () => (!onTouch() && document.querySelector('#main .composer-input')) || document.getElementById('main');

/** Shows a dialog; `build(close)` returns its content. `kind` is a class. */
export function openDialog(title, build, { wide = false, kind = '', onclose } = {}) {
  const id = `dialog-title-${count += 1}`;
  const dialog = h('dialog', { class: `dialog ${wide ? 'dialog-wide' : ''} ${kind}`, 'aria-labelledby': id });
  const before = document.activeElement;
  const close = () => dialog.close();
  dialog.addEventListener('close', () => {
    dialog.remove();
    removeEventListener('route', close);
    // Unless the focus has moved already.
    if (document.activeElement === document.body) (before?.isConnected ? before : place())?.focus();
    onclose?.();
  });
  // A selection that ends on the backdrop does not close the dialog.
  let pressed = null;
  dialog.addEventListener('pointerdown', (event) => { pressed = event.target; });
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog && pressed === dialog) close();
  });
  addEventListener('route', close);
  dialog.append(h('div', { class: 'dialog-inside' },
    h('header', { class: 'dialog-head' }, h('h2', { id }, title), iconButton('close', texts.common.close, close)),
    h('div', { class: 'dialog-body' }, build(close))));
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector('[autofocus]')?.focus();
  return close;
}

/**
 * Asks for confirmation. `onconfirm` may throw to refuse: the reason is shown and the dialog stays open. With `careful`,
 * a second Enter cancels.
 */
export function confirmDialog(question, action, onconfirm, { detail = '', danger = true, careful = false, onclose } = {}) {
  return openDialog(question, (close) => {
    const wrong = h('p', { class: 'form-error', role: 'alert' });
    const button = h('button', { type: 'button', class: `button ${danger ? 'button-danger' : 'button-primary'}`, autofocus: !careful, onclick: async () => {
      button.disabled = true;
      try {
        await onconfirm();
        close();
      } catch (problem) {
        wrong.textContent = problem.message;
        button.disabled = false;
      }
    } }, action);
    return h('div', { class: 'form' }, detail ? h('p', {}, detail) : null, wrong, h('div', { class: 'row row-end' },
      h('button', { type: 'button', class: 'button', autofocus: careful, onclick: close }, texts.common.cancel), button));
  }, { kind: 'dialog-confirm', onclose });
}

/** Asks, and resolves to whether the user agreed. */
export function agreed(question, action, options = {}) {
  return new Promise((done) => {
    confirmDialog(question, action, () => done(true), { ...options, onclose: () => done(false) });
  });
}
