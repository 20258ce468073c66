// Addresses within the page.

/** What the page itself shows; all other addresses (files, the API) are the browser's. */
const PAGES = /^\/(?:|rooms\/.+|search|settings(?:\/.*)?|signin|join\/.+)$/;

let isBack = false;

/** True if the reader came here through the history: one wants to be where one was. */
export const wentBack = () => isBack;

/** Goes to an address without loading the page anew. */
export function go(path, { replace = false } = {}) {
  // The same address again is no step to go back by.
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
  // A link to another message is written as any link is, for a new tab; it opens in place all the same.
  if (link.target && !link.pathname.startsWith('/rooms/')) return;
  event.preventDefault();
  go(link.pathname + link.search);
});
