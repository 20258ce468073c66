// A word at the edge of the page that goes by itself.

import { h } from '../dom.js';

const SHOWN_MS = 4000;
const WITH_ACTION_MS = 10000;

let place = null;

/** Says something in passing; with `action` there is something to press. */
export function toast(text, { action, onaction } = {}) {
  place?.remove();
  const element = h('div', { class: 'toast', role: 'status', popover: 'manual' }, h('span', {}, text),
    action ? h('button', { type: 'button', class: 'toast-action', onclick: () => { element.remove(); onaction(); } }, action) : null);
  place = element;
  // Above a modal dialog there is only what is inside it, in the top layer.
  (document.querySelector('dialog[open]:last-of-type') || document.body).append(element);
  element.showPopover?.();
  put(element);
  setTimeout(() => element.remove(), action ? WITH_ACTION_MS : SHOWN_MS);
}

/** Above what one writes into, and in the middle of what one reads, so that it covers neither. */
function put(element) {
  const box = document.querySelector('.room-foot .composer-box')?.getBoundingClientRect();
  if (!box?.width || document.querySelector('dialog[open]')) return;
  Object.assign(element.style, { bottom: `${innerHeight - box.top + 12}px`, left: `${box.left}px`, right: `${innerWidth - box.right}px` });
}
