// Where somebody wanted to go before they signed in, kept in this tab until then.

const KEY = 'campfire.wanted';
/** Pages of this server only: an address that somebody made up leads nowhere else. */
const PAGES = /^\/(?:rooms\/\d+(?:\/[@\w]+)?|messages\/\d+|search(?:\?.*)?|settings(?:\/\w+)?)$/;

export const isWanted = (path) => PAGES.test(path);

/** Notes where the address leads, or what it says behind `to=`. */
export function noteWanted({ pathname, search } = location) {
  const path = new URLSearchParams(search).get('to') || pathname + search;
  if (!isWanted(path)) return;
  try {
    sessionStorage.setItem(KEY, path);
  } catch {
    // Without storage one lands at the beginning.
  }
}

/** The path that was noted; '' if there is none. */
export function notedWanted() {
  try {
    const path = sessionStorage.getItem(KEY);
    return path && isWanted(path) ? path : '';
  } catch {
    return '';
  }
}

/** The same, once. */
export function takeWanted() {
  const path = notedWanted();
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was kept.
  }
  return path;
}
