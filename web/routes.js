// Navigation within the page.

/** Paths that the page shows itself; all others (files, the API) are left to the browser. */
const PAGES = /^\/(?:|rooms\/.+|search|settings(?:\/.*)?|signin|join\/.+)$/;

let isBack = false;

/** True after the back or forward button: the scroll position is restored then. */
export const wentBack = () => isBack;

/** Goes to an address without reloading the page. */
export function go(path, { replace = false } = {}) {
  // Going to the same address again adds no entry to the history.
  if (replace || path === location.pathname + location.search) history.replaceState(null, '', path);
  else history.pushState(null, '', path);
  isBack = false;
  dispatchEvent(new Event('route'));
}

addEventListener('popstate', () => {
  isBack = true;
  dispatchEvent(new Event('route'));
});

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href]');
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.origin !== location.origin || !PAGES.test(link.pathname) || link.hasAttribute('download')) return;
  // Links to messages have a target for new tabs; within the page they open in place.
  if (link.target && !link.pathname.startsWith('/rooms/')) return;
  event.preventDefault();
  go(link.pathname + link.search);
});
