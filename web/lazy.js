// Parts of the page that come when they are wanted.

import { toast } from './components/toast.js';
import { texts } from './texts.js';

/** The first view has come by then, also over a slow line. */
const AHEAD_AFTER_MS = 3000;

/** Loads a part; where that fails (no connection, or a new version has taken its place), the reader is told how to go on. */
export async function lazy(load) {
  try {
    return await load();
  } catch (error) {
    toast(texts.errors.chunk, { action: texts.common.reload, onaction: () => location.reload() });
    throw error;
  }
}

/** What is wanted often, though not for the first view: fetched once the page is idle, so that it is there at once. */
export async function atHand() {
  return (await lazy(() => import('./at-hand.js'))).parts;
}

/** Fetches what is likely to be wanted next when the page has nothing else to do. Whoever saves data is spared it. */
export function fetchAhead() {
  if (navigator.connection?.saveData) return;
  const idle = window.requestIdleCallback || ((callback) => callback());
  setTimeout(() => idle(() => {
    import('./at-hand.js').catch(() => {});
    import('./views/search.js').catch(() => {});
  }), AHEAD_AFTER_MS);
}
