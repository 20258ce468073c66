// Start-up: signing in or starting the session, and showing the view of the address.

import './theme.js';
import { get, intercepted, remove } from './api.js';
import { newRoom, pingSomebody } from './components/new-conversation.js';
import { connectionLine } from './components/connection.js';
import './components/sidebar.js';
import './day.js';
import { confirmDialog } from './components/dialog.js';
import { toast } from './components/toast.js';
import { emptyElement, fill, h, iconButton, onPhone } from './dom.js';
import { foldSide, sideIsFolded } from './keyboard.js';
import { fetchAhead, lazy } from './lazy.js';
import { listen, start } from './live.js';
import { flush } from './outbox.js';
import { isGuest, mayMakeRooms } from './rights.js';
import { isUnread, noteVisit, roomHere, usualRoom } from './rooms.js';
import { forgetRooms } from './room-memory.js';
import { go } from './routes.js';
import { noteSignedIn, wasSignedIn, whenOtherWindow } from './signed-in.js';
import { stop } from './socket.js';
import { begin, changed, fetchRoom, state, watch } from './store.js';
import { loadSettingsTexts, loadTexts, texts } from './texts.js';
import './title.js';
import { noteWanted, takeWanted } from './wanted.js';
import './views/room.js';
import { areUploading, dropUploads } from './uploads.js';
import { forgetCaches, forgetOffline, registerWorker } from './worker.js';

const RETRY_MS = 5000;
/** `?nocss` leaves the account's own styles out, so that styles which make the page unusable can be removed. */
const isPlain = new URLSearchParams(location.search).has('nocss');
/** Paths of the entry views; whoever is signed in is sent on to `/`. */
const ENTRY_PATHS = ['signin', 'setup', 'join', 'reset', 'transfer', 'invite'];
/** Links of these also work for somebody who is signed in. */
const LINKS = ['reset', 'transfer', 'invite'];

const app = document.getElementById('app');
let shell = null;
let pane = null;

// ---- the session ----

async function begun() {
  await loadTexts().catch(() => {});
  const kind = location.pathname.split('/')[1];
  try {
    if (LINKS.includes(kind)) await showEntry();
    else if (wasSignedIn()) await enterOr(showEntry);
    else await askSetup();
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    unreachable(problem);
  }
}

/** Asks first for what needs no session. */
async function askSetup() {
  const setup = await get('/api/setup?with=account');
  if (setup.needed || setup.signed_in === false) await showEntry(setup);
  else await enterOr(() => showEntry(setup));
}

async function enterOr(otherwise) {
  try {
    await enter();
  } catch (problem) {
    if (problem.status !== 401) throw problem;
    noteSignedIn(0);
    // Signed out elsewhere: the next person on this device sees and hears nothing of this one.
    await forgetOffline().catch(() => {});
    await otherwise();
  }
}

/** Starts the session and shows the view of the address, or of `path`. Whoever `isNew` lands in a room, with the list behind it. */
async function enter(path, { isNew = false } = {}) {
  const session = await get('/api/session');
  if (!session.user || !Array.isArray(session.rooms)) throw intercepted();
  begin(session);
  noteSignedIn(session.user.id);
  shell = null;
  start({ behind: session.is_kept });
  const { pathname } = location;
  const wanted = takeWanted();
  // Only the server knows in which room a message is.
  if (path && wanted.startsWith('/messages/')) return void location.replace(wanted);
  if (path) go(wanted || path, { replace: true });
  if (path && !wanted && isNew && usualRoom()) go(`/rooms/${usualRoom()}`);
  if (!path && ENTRY_PATHS.includes(pathname.split('/')[1])) {
    if (pathname.startsWith('/join/')) toast(texts.entry.alreadyIn);
    go('/', { replace: true });
  } else if (!path) route();
  registerWorker();
  fetchAhead();
}

/** Shows the entry view of the address: nobody is signed in, or somebody comes by a link. */
async function showEntry(setup) {
  noteWanted();
  const { needed, account, signed_in: isSignedIn, sends_mail: sendsMail, sign_in: ways } = setup || await get('/api/setup?with=account');
  const entry = await lazy(() => import('./views/entry.js'));
  const [, kind, code] = location.pathname.split('/');
  const show = (view) => {
    fill(app, view);
    view.querySelector('[autofocus], .button-primary')?.focus();
  };
  const toSignIn = (options) => {
    history.replaceState(null, '', '/signin');
    show(entry.signInView(enter, account, { sendsMail, ways, ...options }));
  };
  if (needed) show(entry.setupView(enter));
  else if (kind === 'join') show(await entry.isInvited(code) ? entry.joinView(code, enter, account, toSignIn, ways) : entry.uninvitedView(account));
  else if (kind === 'reset') show(entry.resetView(code, enter, account));
  else if (kind === 'invite') show(await entry.invitedView(code, enter, account, { toSignIn, isSignedIn, ways }));
  else if (kind === 'transfer') show(entry.transferView(code, enter, account));
  else show(entry.signInView(enter, account, { sendsMail, ways }));
}

/** The server is not reached and nothing is cached; it is tried again automatically. */
function unreachable({ code } = {}) {
  const isIntercepted = code === 'intercepted';
  const again = () => {
    clearTimeout(timer);
    removeEventListener('online', again);
    begun();
  };
  const timer = setTimeout(again, RETRY_MS);
  addEventListener('online', again);
  // Reloaded, the page may lead to whatever stands in front of the server.
  const retry = h('button', { type: 'button', class: 'button', onclick: isIntercepted ? () => location.reload() : again }, texts.common.retry);
  const [title, hint] = isIntercepted ? [texts.app.intercepted, texts.app.interceptedHint] : [texts.app.unreachable, texts.app.unreachableHint];
  if (app.querySelector('.empty h1')?.textContent !== title) fill(app, h('main', { class: 'entry' }, emptyPage(title, hint, retry)));
}

let isLeaving = false;
/** The answer to signing out says where to go on: the socket may say sooner that it is over. */
let isSigningOut = false;

function signedOut(next = '/signin') {
  // It comes several times: in an answer, by the socket, from another window.
  if (isLeaving) return;
  isLeaving = true;
  stop();
  dropUploads();
  noteSignedIn(0);
  // Nothing stays to be seen, in the history of the browser either.
  fill(app);
  forgetOffline().catch(() => {}).finally(() => location.replace(next));
}

// The browser may have kept this page, emptied.
addEventListener('pageshow', ({ persisted }) => persisted && isLeaving && location.replace('/'));

/** Another window has signed somebody else in: what this page sends would be theirs. */
function becameSomebodyElse() {
  isLeaving = true;
  stop();
  fill(app);
  location.replace('/');
}

whenOtherWindow((user) => {
  if (!state.me || user === state.me.id) return;
  if (user) becameSomebodyElse();
  else signedOut();
});

addEventListener('signout', () => {
  // Texts stay in the outbox on this device; files would be lost.
  if (areUploading()) confirmDialog(texts.app.uploadsQuestion, texts.side.signOut, signOut, { detail: texts.app.uploadsDetail });
  else signOut();
});

async function signOut() {
  let next;
  isSigningOut = true;
  try {
    next = (await remove('/api/session'))?.sign_out_url;
  } catch (problem) {
    // If the server was not reached, the session still exists: do not pretend otherwise.
    if (problem.status !== 401) return void toast(problem.message);
  } finally {
    isSigningOut = false;
  }
  // Of the identity provider, where there is one.
  signedOut(/^https?:/.test(next || '') ? next : undefined);
}

listen((event) => {
  if (event.type === 'signed_out' && !isSigningOut) signedOut();
  if (event.type === 'somebody_else') becameSomebodyElse();
  if (event.type === 'back') flush();
  if (event.isOther) {
    // What is kept has the same addresses as what is new.
    forgetRooms();
    forgetCaches().catch(() => {});
  }
});

// ---- the view ----

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
  // A dot for unread rooms while the sidebar is folded.
  const unfold = shell?.querySelector('.side-show');
  if (!unfold) return;
  const hasNews = [...state.rooms.values()].some((room) => isUnread(room) && room.id !== roomHere());
  unfold.classList.toggle('has-news', hasNews);
  unfold.setAttribute('aria-label', hasNews ? `${texts.side.show}, ${texts.side.unreadElsewhere}` : texts.side.show);
});

watch(['account'], () => {
  showIcon();
  // The account's own styles come last, as a constructed sheet: the content security policy allows no inline style.
  document.adoptedStyleSheets = [];
  if (state.account?.custom_css && !isPlain) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(state.account.custom_css);
    document.adoptedStyleSheets = [sheet];
  }
});

/** The tab shows the logo, where there is one. */
function showIcon() {
  const link = document.querySelector('link[rel="icon"]');
  const { logo_url: logo } = state.account || {};
  link.dataset.flame ??= link.href;
  link.href = logo || link.dataset.flame;
  if (logo) link.removeAttribute('type');
  else link.type = 'image/svg+xml';
}

let turn = 0;

async function route() {
  if (!state.me) return void showEntry().catch(unreachable);
  const isFirst = !shell;
  if (isFirst) build();
  turn += 1;
  const mine = turn;
  showList();
  changed('route');
  const view = await viewHere();
  // The address may have changed meanwhile.
  if (mine !== turn || !view) return;
  if (view !== pane.firstElementChild) fill(pane, view);
  if (!isFirst) settleFocus(view);
}

addEventListener('route', route);

/** On a phone, `/` shows only the list, which is then the main landmark; elsewhere the list stands beside a room. */
function showList() {
  const isList = location.pathname === '/';
  shell.classList.toggle('shows-list', isList);
  const sidebar = shell.querySelector('.side');
  const isAll = isList && onPhone();
  sidebar.setAttribute('role', isAll ? 'main' : 'complementary');
  // Beside a room, the room's name is the page's heading.
  sidebar.querySelector('.side-title').hidden = !isAll;
}

/** The view of the address; the current one if it can show the address itself. */
async function viewHere() {
  const { pathname } = location;
  const shown = pane.firstElementChild;
  const id = roomHere();
  // Links of ONCE Campfire are /rooms/R/messages/M.
  if (id) return roomView(id, Number(/^\/rooms\/\d+\/(?:@|messages\/)?(\d+)$/.exec(pathname)?.[1] || 0));
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

/** On a phone the list is a screen of its own; elsewhere the usual room is opened beside it. */
function homeView() {
  const usual = usualRoom();
  if (usual && !onPhone()) return void go(`/rooms/${usual}`, { replace: true });
  if (usual) return h('div', {});
  const mayMake = mayMakeRooms();
  return emptyPage(texts.app.noRooms, mayMake ? texts.app.noRoomsHint : isGuest() ? texts.app.noRoomsGuest : texts.app.noRoomsMember, h('div', { class: 'row' },
    mayMake ? h('button', { type: 'button', class: 'button button-primary', onclick: newRoom }, texts.side.newRoom) : null,
    isGuest() && state.users.size < 2 ? null : h('button', { type: 'button', class: 'button', onclick: pingSomebody }, texts.people.ping)));
}

/** An empty state that fills the page: its title is the page's heading. */
function emptyPage(title, ...more) {
  const element = emptyElement(title, ...more);
  element.querySelector('h2').replaceWith(h('h1', {}, title));
  return element;
}

/** After navigation the focus moves into the new view, not to the top of the page. */
function settleFocus(view) {
  if (document.querySelector('dialog[open]') || view.contains(document.activeElement)) return;
  if (shell.classList.contains('shows-list') && onPhone()) return void shell.querySelector('.side-scroll').focus({ preventScroll: true });
  // A room focuses its composer later, but not on touch screens, where that would open the keyboard.
  const place = view.querySelector('h1') || view;
  place.tabIndex = -1;
  place.focus({ preventScroll: true });
}

matchMedia('(max-width: 720px)').addEventListener('change', () => {
  if (state.me && shell && location.pathname === '/') route();
});

begun();
