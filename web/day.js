// The page stays open over midnight: then today is another day.

import { dayKey } from './format.js';
import { changed } from './store.js';

const LOOK_EVERY_MS = 60000;

let today = dayKey(new Date());

function look() {
  const now = dayKey(new Date());
  if (now === today) return;
  today = now;
  changed('day');
}

// Not at midnight sharp: a timer stands still while the computer sleeps.
setInterval(look, LOOK_EVERY_MS);
document.addEventListener('visibilitychange', look);
