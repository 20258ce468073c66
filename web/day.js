// Announces a new day to a page that is open over midnight.

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

// A single timer until midnight would be late: timers stand still while the computer sleeps.
setInterval(look, LOOK_EVERY_MS);
document.addEventListener('visibilitychange', look);
