// Copying, also where the browser has no clipboard API (without TLS).

import { toast } from './components/toast.js';
import { h } from './dom.js';
import { icon } from './icons.js';
import { texts } from './texts.js';

async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const holder = h('textarea', { class: 'heard', readonly: true, '.value': text });
  // In a modal dialog only its own elements can have the focus.
  (document.querySelector('dialog[open]') || document.body).append(holder);
  const before = document.activeElement;
  holder.select();
  const done = document.execCommand('copy');
  holder.remove();
  before?.focus();
  if (!done) throw new Error('not copied');
}

/** Copies a text and confirms it with a toast. */
export async function copyText(text) {
  try {
    await write(text);
    toast(texts.common.copied);
    return true;
  } catch {
    toast(texts.errors.copyFailed);
    return false;
  }
}

/** A button that copies `text` (or its result, if it is a function) and confirms it in its own label; its width stays the same. */
export function copyButton(text, label = texts.common.copy) {
  const words = h('span', { class: 'copy-words', 'aria-live': 'polite' }, label);
  return h('button', { type: 'button', class: 'button button-small', onclick: async () => {
    try {
      await write(typeof text === 'function' ? text() : text);
    } catch {
      return void toast(texts.errors.copyFailed);
    }
    words.style.minInlineSize = `${words.offsetWidth}px`;
    words.textContent = texts.common.copied;
    setTimeout(() => { words.textContent = label; }, 2000);
  } }, icon('copy'), words);
}
