// Dialogs: the browser's own, so that focus and Esc are right.

import { h, iconButton } from '../dom.js';
import { texts } from '../texts.js';

/** Shows a dialog; `build` is given how to close it and answers its content. */
export function openDialog(title, build, { wide = false } = {}) {
  const dialog = h('dialog', { class: `dialog${wide ? ' dialog-wide' : ''}`, 'aria-label': title });
  const close = () => dialog.close();
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) close();
  });
  dialog.append(h('div', { class: 'dialog-inside' },
    h('header', { class: 'dialog-head' }, h('h2', {}, title), iconButton('close', texts.close, close)),
    build(close)));
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector('[autofocus]')?.focus();
  return close;
}

/** Asks before something is gone. */
export function confirmDialog(question, action, onconfirm) {
  openDialog(question, (close) => h('div', { class: 'row row-end' },
    h('button', { type: 'button', class: 'button', onclick: close }, texts.cancel),
    h('button', { type: 'button', class: 'button button-danger', autofocus: true, onclick: () => { close(); onconfirm(); } }, action)));
}

/** A menu under a button. */
export function openMenu(anchor, entries) {
  document.querySelector('.menu')?.remove();
  const menu = h('div', { class: 'menu', role: 'menu' }, entries.filter(Boolean).map(({ label, onclick, danger }) =>
    h('button', { type: 'button', role: 'menuitem', class: danger ? 'is-danger' : '', onclick: () => { dismiss(); onclick(); } }, label)));
  const dismiss = () => {
    menu.remove();
    document.removeEventListener('pointerdown', outside, true);
    anchor.focus();
  };
  const outside = (event) => {
    if (!menu.contains(event.target)) dismiss();
  };
  menu.addEventListener('keydown', (event) => {
    const items = [...menu.children];
    const place = items.indexOf(document.activeElement);
    if (event.key === 'Escape') dismiss();
    else if (event.key === 'ArrowDown') items[(place + 1) % items.length].focus();
    else if (event.key === 'ArrowUp') items[(place - 1 + items.length) % items.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.body.append(menu);
  const box = anchor.getBoundingClientRect();
  menu.style.top = `${Math.min(box.bottom + 4, innerHeight - menu.offsetHeight - 8)}px`;
  menu.style.left = `${Math.max(8, Math.min(box.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8))}px`;
  menu.firstChild.focus();
  setTimeout(() => document.addEventListener('pointerdown', outside, true));
}
