// A short notice that disappears by itself.

import { h } from '../dom.js';

const SHOWN_MS = 4000;
const WITH_ACTION_MS = 10000;

let place = null;

/** Shows a notice; with `action` it has a button. */
export function toast(text, { action, onaction } = {}) {
  place?.remove();
  const element = h('div', { class: 'toast', role: 'status', popover: 'manual' }, h('span', {}, text),
    action ? h('button', { type: 'button', class: 'toast-action', onclick: () => { element.remove(); onaction(); } }, action) : null);
  place = element;
  // Only elements inside a modal dialog can be above it, in the top layer.
  (document.querySelector('dialog[open]:last-of-type') || document.body).append(element);
  element.showPopover?.();
  put(element);
  setTimeout(() => element.remove(), action ? WITH_ACTION_MS : SHOWN_MS);
}

/** Above the composer and as wide as it; elsewhere the style sheet places it. */
function put(element) {
  const box = document.querySelector('.room-foot .composer-box')?.getBoundingClientRect();
  if (!box?.width || document.querySelector('dialog[open]')) return;
  Object.assign(element.style, { bottom: `${innerHeight - box.top + 12}px`, left: `${box.left}px`, right: `${innerWidth - box.right}px` });
}
