// Announces a new day to a page that is open over midnight, and another time zone to one that travels.

import { dayKey, forgetZone } from './format.js';
import { changed } from './store.js';

const LOOK_EVERY_MS = 60000;

let today = dayKey(new Date());
let zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

function look() {
  const now = dayKey(new Date());
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (here !== zone) {
    forgetZone();
    changed('zone');
  }
  if (now !== today || here !== zone) changed('day');
  today = now;
  zone = here;
}

// A single timer until midnight would be late: timers stand still while the computer sleeps.
setInterval(look, LOOK_EVERY_MS);
document.addEventListener('visibilitychange', look);
