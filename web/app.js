// The start: who is here, and what is to be seen at this address.

import './theme.js';
import { get, remove } from './api.js';
import { newRoom, pingSomebody } from './components/begin-talk.js';
import { connectionLine } from './components/connection.js';
import './components/sidebar.js';
import './day.js';
import { confirmDialog } from './components/dialog.js';
import { toast } from './components/toast.js';
import { emptyElement, fill, h, iconButton, onPhone } from './dom.js';
import { foldSide, sideIsFolded } from './keyboard.js';
import { fetchAhead, lazy } from './lazy.js';
import { listen, start, stop } from './live.js';
import { flush } from './outbox.js';
import { isUnread, noteVisit, roomHere, usualRoom } from './rooms.js';
import { go } from './routes.js';
import { noteSignedIn, wasSignedIn } from './signed-in.js';
import { begin, changed, fetchRoom, state, watch } from './store.js';
import { loadSettingsTexts, loadTexts, texts } from './texts.js';
import './title.js';
import './views/room.js';
import { areUploading, dropUploads } from './uploads.js';
import { forgetOffline, registerWorker } from './worker.js';

const RETRY_MS = 5000;
/** With `?nocss` the account's own styles are left out: the way back for who made the page unusable with them. */
const isPlain = new URLSearchParams(location.search).has('nocss');
/** What is shown to who comes in; whoever is in already goes home from there. */
const DOORS = ['signin', 'setup', 'join', 'reset', 'transfer'];

const app = document.getElementById('app');
let shell = null;
let pane = null;

// ---- who is here ----

async function begun() {
  await loadTexts().catch(() => {});
  const door = location.pathname.split('/')[1];
  try {
    // These two are for somebody who may be signed in as somebody else.
    if (door === 'reset' || door === 'transfer') await knock();
    else if (wasSignedIn()) await enterOr(knock);
    else await look();
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    unreachable();
  }
}

/** Asks first what may be asked by anybody. */
async function look() {
  const setup = await get('/api/setup?with=account');
  if (setup.needed || setup.signed_in === false) await knock(setup);
  else await enterOr(() => knock(setup));
}

async function enterOr(otherwise) {
  try {
    await enter();
  } catch (problem) {
    if (problem.status !== 401) throw problem;
    noteSignedIn(false);
    await otherwise();
  }
}

/** Takes in who is signed in, and shows what is at this address, or at `path`. */
async function enter(path) {
  const session = await get('/api/session');
  begin(session);
  noteSignedIn(true);
  shell = null;
  start({ behind: session.is_kept });
  const { pathname } = location;
  if (path) go(path, { replace: true });
  else if (DOORS.includes(pathname.split('/')[1])) {
    if (pathname.startsWith('/join/')) toast(texts.entry.alreadyIn);
    go('/', { replace: true });
  } else route();
  registerWorker();
  fetchAhead();
}

/** Nobody is signed in, or somebody comes by a link: the door that the address means. */
async function knock(setup) {
  const { needed, account } = setup || await get('/api/setup?with=account');
  const entry = await lazy(() => import('./views/entry.js'));
  const [, door, code] = location.pathname.split('/');
  const show = (view) => {
    fill(app, view);
    view.querySelector('[autofocus], .button-primary')?.focus();
  };
  const toSignIn = (options) => {
    history.replaceState(null, '', '/signin');
    show(entry.signInView(enter, account, options));
  };
  if (needed) show(entry.setupView(enter));
  else if (door === 'join') show(entry.joinView(code, enter, account, toSignIn));
  else if (door === 'reset') show(entry.resetView(code, enter, account));
  else if (door === 'transfer') show(entry.transferView(code, enter, account));
  else show(entry.signInView(enter, account));
}

/** Nothing can be shown without the server; it is tried again by itself. */
function unreachable() {
  const again = () => {
    clearTimeout(timer);
    removeEventListener('online', again);
    begun();
  };
  const timer = setTimeout(again, RETRY_MS);
  addEventListener('online', again);
  if (!app.querySelector('.empty')) fill(app, h('main', { class: 'entry' }, emptyPage(texts.app.unreachable, texts.app.unreachableHint, h('button', { type: 'button', class: 'button', onclick: again }, texts.common.retry))));
}

let isLeaving = false;

function signedOut() {
  // The answer says it, and so does the socket.
  if (isLeaving) return;
  isLeaving = true;
  stop();
  dropUploads();
  noteSignedIn(false);
  forgetOffline().catch(() => {}).finally(() => location.replace('/signin'));
}

addEventListener('signout', () => {
  // Texts wait on this device for who comes back; files would be lost.
  if (areUploading()) confirmDialog(texts.app.uploadsQuestion, texts.side.signOut, signOut, { detail: texts.app.uploadsDetail });
  else signOut();
});

async function signOut() {
  try {
    await remove('/api/session');
  } catch (problem) {
    // Without the server nobody is signed out: to say so would be a lie.
    if (problem.status !== 401) return void toast(problem.message);
  }
  signedOut();
}

listen((event) => {
  if (event.type === 'signed_out') signedOut();
  if (event.type === 'back') flush();
});

// ---- what is seen ----

function build() {
  const sidebar = h('camp-sidebar', {});
  pane = h('main', { class: 'pane', id: 'main', tabindex: -1 });
  const skip = h('a', { class: 'skip', href: '#main', onclick: (event) => {
    event.preventDefault();
    (pane.querySelector('.composer-input, .search-input') || pane).focus();
  } }, texts.app.skip);
  const unfold = iconButton('sidebar', texts.side.show, () => foldSide(false), { class: 'icon-button side-show' });
  shell = h('div', { class: 'shell' }, skip, sidebar, unfold, pane, connectionLine());
  fill(app, shell);
  fold();
}

function fold() {
  const folded = sideIsFolded();
  const focused = document.activeElement;
  const isLost = folded ? focused?.closest('.side') : focused?.classList.contains('side-show');
  shell.classList.toggle('is-wide', folded);
  if (isLost) shell.querySelector(folded ? '.side-show' : '.side-hide').focus();
}

watch(['side'], () => {
  if (shell) fold();
});

watch(['rooms', 'route'], () => {
  // What the folded list would show.
  const unfold = shell?.querySelector('.side-show');
  if (!unfold) return;
  const hasNews = [...state.rooms.values()].some((room) => isUnread(room) && room.id !== roomHere());
  unfold.classList.toggle('has-news', hasNews);
  unfold.setAttribute('aria-label', hasNews ? `${texts.side.show}, ${texts.side.unreadElsewhere}` : texts.side.show);
});

watch(['account'], () => {
  // The account's own styles come last, as a sheet of its own: the page's policy lets no inline style in.
  document.adoptedStyleSheets = [];
  if (state.account?.custom_css && !isPlain) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(state.account.custom_css);
    document.adoptedStyleSheets = [sheet];
  }
});

let turn = 0;

async function route() {
  if (!state.me) return void knock().catch(unreachable);
  const isFirst = !shell;
  if (isFirst) build();
  turn += 1;
  const mine = turn;
  showList();
  changed('route');
  const view = await viewHere();
  // Somebody may have gone on meanwhile.
  if (mine !== turn || !view) return;
  if (view !== pane.firstElementChild) fill(pane, view);
  if (!isFirst) settleFocus(view);
}

addEventListener('route', route);

/** On a phone the list is all there is at the root: then it is the main part of the page, else it stands beside it. */
function showList() {
  const isList = location.pathname === '/';
  shell.classList.toggle('shows-list', isList);
  const sidebar = shell.querySelector('.side');
  const isAll = isList && onPhone();
  sidebar.setAttribute('role', isAll ? 'main' : 'complementary');
  // Beside a room, the room's name is the page's title.
  sidebar.querySelector('.side-title').hidden = !isAll;
}

/** The view that this address means; the one that is there if it can show it itself. */
async function viewHere() {
  const { pathname } = location;
  const shown = pane.firstElementChild;
  const id = roomHere();
  if (id) return roomView(id, Number(/^\/rooms\/\d+\/@?(\d+)$/.exec(pathname)?.[1] || 0));
  if (pathname === '/search') {
    if (shown?.localName === 'camp-search') {
      shown.routed();
      return shown;
    }
    const isThere = await lazy(() => import('./views/search.js')).catch(() => null);
    return isThere && h('camp-search', {});
  }
  if (pathname.startsWith('/settings')) {
    if (shown?.localName === 'camp-settings' && shown.routed) {
      shown.routed();
      return shown;
    }
    const isThere = await lazy(() => Promise.all([import('./views/settings.js'), loadSettingsTexts()])).catch(() => null);
    return isThere && h('camp-settings', {});
  }
  if (pathname !== '/') return void go('/', { replace: true });
  return homeView();
}

async function roomView(id, message) {
  if (!state.rooms.has(id)) await fetchRoom(id);
  if (!state.rooms.has(id)) return emptyPage(texts.app.lost, texts.app.lostHint, h('a', { class: 'button', href: '/' }, texts.common.home));
  noteVisit(id);
  const shown = pane.firstElementChild;
  if (shown?.roomId === id && !shown.isGone) {
    shown.routed(message);
    return shown;
  }
  return h('camp-room', { room: id, message: message || null });
}

/** On a phone the list is a screen of its own; elsewhere a room stands beside it. */
function homeView() {
  const usual = usualRoom();
  if (usual && !onPhone()) return void go(`/rooms/${usual}`, { replace: true });
  if (usual) return h('div', {});
  const mayMake = state.me.role === 'admin' || !state.account.settings?.restrict_room_creation;
  return emptyPage(texts.app.noRooms, mayMake ? texts.app.noRoomsHint : texts.app.noRoomsMember, h('div', { class: 'row' },
    mayMake ? h('button', { type: 'button', class: 'button button-primary', onclick: newRoom }, texts.side.newRoom) : null,
    h('button', { type: 'button', class: 'button', onclick: pingSomebody }, texts.people.ping)));
}

/** An empty place that is all there is to see: its title is the page's. */
function emptyPage(title, ...more) {
  const element = emptyElement(title, ...more);
  element.querySelector('h2').replaceWith(h('h1', {}, title));
  return element;
}

/** Whoever goes elsewhere by keys goes on there, not at the top of the page. */
function settleFocus(view) {
  if (document.querySelector('dialog[open]') || view.contains(document.activeElement)) return;
  if (shell.classList.contains('shows-list') && onPhone()) return void shell.querySelector('.side-scroll').focus({ preventScroll: true });
  // A room gives it to its composer once it is there; where a finger would bring the keyboard up, it does not.
  const place = view.querySelector('h1') || view;
  place.tabIndex = -1;
  place.focus({ preventScroll: true });
}

matchMedia('(max-width: 720px)').addEventListener('change', () => {
  if (state.me && shell && location.pathname === '/') route();
});

begun();
