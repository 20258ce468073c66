// Parts of the page that are loaded when they are needed.

import { toast } from './components/toast.js';
import { texts } from './texts.js';

/** By then the first view is there, also on a slow connection. */
const AHEAD_AFTER_MS = 3000;

/** Loads a part. If that fails (no connection, or a new version replaced it), a toast offers to reload the page. */
export async function lazy(load) {
  try {
    return await load();
  } catch (error) {
    toast(texts.errors.chunk, { action: texts.common.reload, onaction: () => location.reload() });
    throw error;
  }
}

/** Components that are needed often, fetched once the page is idle. */
export async function atHand() {
  return (await lazy(() => import('./at-hand.js'))).parts;
}

/** Fetches the likely next parts when the page is idle, unless the user saves data. */
export function fetchAhead() {
  if (navigator.connection?.saveData) return;
  const idle = window.requestIdleCallback || ((callback) => callback());
  setTimeout(() => idle(() => {
    import('./at-hand.js').catch(() => {});
    import('./views/search.js').catch(() => {});
  }), AHEAD_AFTER_MS);
}
