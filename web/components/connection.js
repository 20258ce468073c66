// A line that tells of a lost connection, unless it is back soon.

import { h } from '../dom.js';
import { state, watch } from '../store.js';
import { texts } from '../texts.js';

const AFTER_MS = 1500;

/** The line, to be inserted once. It is empty and hidden while there is a connection. */
export function connectionLine() {
  const line = h('div', { class: 'connection', role: 'status', hidden: true });
  let timer = 0;
  watch(['connection'], () => {
    clearTimeout(timer);
    if (state.connected) {
      line.hidden = true;
      line.textContent = '';
      return;
    }
    timer = setTimeout(() => {
      line.hidden = false;
      line.textContent = state.intercepted ? texts.app.interceptedLine : texts.app.reconnecting;
    }, AFTER_MS);
  });
  return line;
}
