// Global keyboard shortcuts.

import { onPhone } from './dom.js';
import { isComposing, shortcutOf } from './key.js';
import { atHand, lazy } from './lazy.js';
import { nextUnread, visits } from './rooms.js';
import { go } from './routes.js';
import { changed, state } from './store.js';

const SIDE = 'campfire.side';

/** True where Cmd takes the place of Ctrl. */
export const isApple = () => /Mac|iPhone|iPad/.test(navigator.platform);

export async function openSwitcher() {
  if (document.querySelector('dialog[open]')) return;
  (await atHand()).switcher();
}

export async function openKeys() {
  if (document.querySelector('dialog[open]')) return;
  const { showKeys } = await lazy(() => import('./components/keys.js'));
  showKeys();
}

let isFolded = false;

/** Whether the sidebar is folded; stored on this device. */
export function sideIsFolded() {
  try {
    return localStorage.getItem(SIDE) === 'folded';
  } catch {
    return isFolded;
  }
}

export function foldSide(folded = !sideIsFolded()) {
  isFolded = folded;
  try {
    localStorage.setItem(SIDE, folded ? 'folded' : '');
  } catch {
    // Without storage it lasts as long as the page.
  }
  changed('side');
}

const FIELDS = 'input, textarea, select, [contenteditable="true"]';
const FLOATING = 'dialog[open], .menu, .popover';

/** Leaves search or settings for the room visited last. */
function leavePage() {
  const [last] = visits();
  go(last && !onPhone() ? `/rooms/${last}` : '/');
}

function pressed(event) {
  const { key } = event;
  const chord = event.ctrlKey || event.metaKey;
  const typing = event.target.closest?.(FIELDS);
  if (chord && !event.altKey && !event.shiftKey && shortcutOf(event) === 'k') return openSwitcher;
  // With Alt, or AltGr, it writes the sign on some layouts.
  if (chord && !event.altKey && key === '\\' && !onPhone()) return () => foldSide();
  if (document.querySelector(FLOATING)) return null;
  if (event.altKey && !chord && !event.shiftKey && (key === 'ArrowDown' || key === 'ArrowUp')) {
    return () => {
      const room = nextUnread(key === 'ArrowDown' ? 1 : -1);
      if (room) go(`/rooms/${room.id}`);
    };
  }
  if (chord || event.altKey) return null;
  if (key === 'Escape' && /^\/(search|settings)/.test(location.pathname) && !typing?.value) return leavePage;
  if (typing) return null;
  if (key === '/') return () => go('/search');
  if (key === '?') return openKeys;
  return null;
}

addEventListener('keydown', (event) => {
  if (!state.me || event.defaultPrevented || isComposing(event)) return;
  const act = pressed(event);
  if (!act) return;
  event.preventDefault();
  act();
});
