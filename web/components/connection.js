// One quiet line while there is no connection. A short break is not worth a word.

import { h } from '../dom.js';
import { state, watch } from '../store.js';
import { texts } from '../texts.js';

const AFTER_MS = 1500;

/** The line, to be put into the page once. It is empty, and not to be seen, while all is well. */
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
      line.textContent = texts.app.reconnecting;
    }, AFTER_MS);
  });
  return line;
}
