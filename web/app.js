// The start: who is here, and what is to be seen at this address.

import './theme.js';
import { get, remove } from './api.js';
import './components/sidebar.js';
import { openDialog } from './components/dialog.js';
import { switcher } from './components/dialogs.js';
import { emptyElement } from './components/message.js';
import { fill, h } from './dom.js';
import { listen, start, stop } from './live.js';
import { flush } from './outbox.js';
import { go } from './routes.js';
import { begin, changed, fetchRoom, state, watch } from './store.js';
import { texts } from './texts.js';
import { joinView, resetView, setupView, signInView } from './views/entry.js';
import './views/room.js';
import './views/search.js';
import './views/settings.js';

const app = document.getElementById('app');
const LAST_ROOM = 'campfire.room';
let pane = null;
let sidebar = null;

async function enter(path) {
  begin(await get('/api/session'));
  sidebar = null;
  start();
  if (path) go(path, { replace: true });
  else route();
}

function signOut() {
  stop();
  state.me = null;
  location.replace('/signin');
}

addEventListener('signout', async () => {
  await remove('/api/session').catch(() => {});
  signOut();
});

listen((event) => {
  if (event.type === 'signed_out') signOut();
  if (event.type === 'back') flush();
});

watch(['gone'], () => {
  const id = shownRoom();
  if (id && !state.rooms.has(id)) go('/', { replace: true });
});

watch(['connection'], () => {
  document.querySelector('.connection')?.remove();
  if (!state.connected) document.body.append(h('div', { class: 'connection', role: 'status' }, texts.reconnecting));
});

watch(['account'], () => {
  // The account's own styles come last, as a sheet of its own: the page's policy lets no inline style in.
  document.adoptedStyleSheets = [];
  if (state.account?.custom_css) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(state.account.custom_css);
    document.adoptedStyleSheets = [sheet];
  }
});

function shownRoom() {
  const found = /^\/rooms\/(\d+)(?:\/@?(\d+))?$/.exec(location.pathname);
  return found ? Number(found[1]) : 0;
}

/** The room that was open last, or the first in the list. */
function usualRoom() {
  const last = Number(localStorage.getItem(LAST_ROOM));
  if (state.rooms.has(last)) return last;
  const rooms = [...state.rooms.values()].filter((room) => room.membership.involvement !== 'invisible');
  return (rooms.find((room) => room.kind !== 'direct') || rooms[0])?.id;
}

async function route() {
  if (!state.me) return;
  if (!sidebar) {
    sidebar = h('camp-sidebar', {});
    pane = h('main', { class: 'pane' });
    fill(app, h('div', { class: 'shell' }, sidebar, pane));
  }
  changed('route');
  const { pathname } = location;
  const shell = sidebar.parentElement;
  shell.classList.toggle('shows-list', pathname === '/');
  const id = shownRoom();
  if (id) {
    if (!state.rooms.has(id)) await fetchRoom(id);
    if (!state.rooms.has(id)) return void fill(pane, emptyElement(texts.lost, texts.lostHint, h('a', { class: 'button', href: '/' }, texts.home)));
    localStorage.setItem(LAST_ROOM, id);
    const message = /@?(\d+)$/.exec(pathname.split('/')[3] || '')?.[1];
    const shown = pane.firstElementChild;
    if (shown?.roomId === id && !message) return;
    fill(pane, h('camp-room', { room: id, message: message || null }));
  } else if (pathname === '/search') {
    fill(pane, h('camp-search', {}));
  } else if (pathname.startsWith('/settings')) {
    fill(pane, h('camp-settings', {}));
  } else {
    const usual = usualRoom();
    // On a phone the list is a page of its own; elsewhere a room stands beside it.
    if (usual && !matchMedia('(max-width: 720px)').matches) go(`/rooms/${usual}`, { replace: true });
    else if (usual) fill(pane);
    else fill(pane, emptyElement(texts.noRooms));
  }
}

addEventListener('route', route);

addEventListener('keydown', (event) => {
  if (!state.me) return;
  const chord = event.ctrlKey || event.metaKey;
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName);
  if (chord && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    switcher();
  } else if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
    event.preventDefault();
    nextUnread(event.key === 'ArrowDown' ? 1 : -1);
  } else if (!typing && event.key === '/') {
    event.preventDefault();
    go('/search');
  } else if (!typing && event.key === '?') {
    showKeys();
  }
});

function nextUnread(step) {
  const keys = [...document.querySelectorAll('.side a[data-key^="room-"]')];
  const here = keys.findIndex((link) => link.classList.contains('is-here'));
  const order = keys.map((_, place) => keys[(here + step * (place + 1) + keys.length * 2) % keys.length]);
  order.find((link) => link.classList.contains('is-unread'))?.click();
}

function showKeys() {
  if (document.querySelector('dialog')) return;
  openDialog(texts.keys, () => h('dl', { class: 'keys' }, texts.keyList.map(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)])));
}

async function begun() {
  const { pathname } = location;
  const [, first, second] = pathname.split('/');
  try {
    if (first === 'reset') return void fill(app, resetView(second, enter));
    await enter(first === 'signin' || first === 'setup' || first === 'join' ? '/' : null);
  } catch (problem) {
    if (problem.status === 401) await knock(first, second);
    else fill(app, emptyElement(texts.offlineNow, '', h('button', { type: 'button', class: 'button', onclick: () => location.reload() }, texts.retry)));
  }
}

/** Nobody is signed in: is there a team at all? */
async function knock(first, code) {
  const { needed } = await get('/api/setup').catch(() => ({}));
  if (needed) fill(app, setupView(enter));
  else fill(app, first === 'join' ? joinView(code, enter) : signInView(enter));
}

begun();
