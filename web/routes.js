// Addresses within the page.

/** Goes to an address without loading the page anew. */
export function go(path, { replace = false } = {}) {
  if (replace) history.replaceState(null, '', path);
  else history.pushState(null, '', path);
  dispatchEvent(new Event('route'));
}

addEventListener('popstate', () => dispatchEvent(new Event('route')));

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href]');
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || link.target) return;
  if (link.origin !== location.origin) return;
  event.preventDefault();
  go(link.pathname + link.search);
});
