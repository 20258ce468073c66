// The service worker: opens the page offline with what was last seen, and shows push notifications.

// The build writes both in; in development nothing is cached beforehand.
const VERSION = 'development';
const SHELL = [];

const SHELL_CACHE = `campfire-shell-${VERSION}`;
/** Data of the signed-in user. `worker.js` deletes both by their common prefix. */
const DATA_CACHE = 'campfire-data';
const PICTURE_CACHE = 'campfire-data-pictures';

const KEPT_ROOMS = 10;
const KEPT_PICTURES = 200;

/** After this time the cached page, or the cached data, is used instead of the server's. */
const PAGE_PATIENCE_MS = 2000;
const DATA_PATIENCE_MS = 4000;

/** How long a window may take to answer where it is. */
const ANSWER_PATIENCE_MS = 500;

const ROOM_PAGE = /^\/api\/rooms\/\d+\/messages$/;
const PICTURE = /^\/(?:avatars\/\d+|emoji\/[^/]+|files\/\d+\/thumbnail|api\/account\/logo)$/;

/** Counts up when the caches are cleared: answers to earlier requests are not cached any more. */
let generation = 0;

addEventListener('install', (event) => {
  event.waitUntil(prepare());
});

async function prepare() {
  const cache = await caches.open(SHELL_CACHE);
  await Promise.all(SHELL.map(async (path) => {
    // The browser's own cache may hold an older page.
    const response = await fetch(path, path === '/' ? { cache: 'reload' } : {});
    if (!(path === '/' ? await isPage(response) : isAsset(response))) throw new Error(`${path} is not ours`);
    await cache.put(path, response);
  }));
}

// What stands in front of the server (a sign-in page, a captive portal) may answer in its place. That is shown, not kept.

const isOurs = (response, types) => response.ok && !response.redirected && types.test(response.headers.get('content-type') || '');
const isData = (response) => isOurs(response, /^application\/json\b/);
const isAsset = (response) => isOurs(response, /^(?!text\/html\b)./);
const isPicture = (response) => isOurs(response, /^image\//) && response.status === 200;

/** Our page names the files of this version. */
async function isPage(response) {
  if (!isOurs(response, /^text\/html\b/)) return false;
  const text = await response.clone().text();
  return SHELL.every((path) => !path.startsWith('/assets/app-') || text.includes(path));
}

addEventListener('activate', (event) => {
  event.waitUntil(takeOver());
});

async function takeOver() {
  const isFirst = !(await caches.has(DATA_CACHE));
  for (const name of await caches.keys()) {
    if (name.startsWith('campfire-shell-') && name !== SHELL_CACHE) await caches.delete(name);
  }
  await registration.navigationPreload?.enable();
  await clients.claim();
  if (isFirst) await keepWhatIsShown();
}

/** The first page was loaded before this worker: what it shows is requested once more, mostly from the browser's cache. */
async function keepWhatIsShown() {
  const windows = await clients.matchAll({ type: 'window' });
  const places = await Promise.all(windows.map(placeOf));
  const rooms = places.map((path) => /^\/rooms\/\d+/.exec(path)?.[0]).filter(Boolean);
  for (const path of ['/api/session', ...rooms.map((room) => `/api${room}/messages`)]) {
    await fromServer(new Request(path), path).catch(() => {});
  }
}

/** The path that a window shows. `client.url` is only the one that it was opened with. */
function placeOf(client) {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => done(data);
    client.postMessage({ type: 'where_are_you' }, [port2]);
    setTimeout(() => done(new URL(client.url).pathname), ANSWER_PATIENCE_MS);
  });
}

addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname, searchParams } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.method !== 'GET') {
    if (isOtherPerson(request.method, pathname)) event.waitUntil(forget());
  } else if (pathname.startsWith('/signin/oidc/')) {
    // An identity provider leads back once: neither a copy nor a second request will do. Somebody else may sign in by it.
    event.waitUntil(forget());
    event.respondWith(preloadedOrFetched(event));
  } else if (request.mode === 'navigate') {
    if (!/^\/(?:api|files|embeds)\//.test(pathname)) event.respondWith(page(event));
  } else if (pathname.startsWith('/assets/')) {
    event.respondWith(asset(request));
  } else if (searchParams.has('fresh')) {
    // Only the server's own answer will do.
  } else if (pathname === '/api/session') {
    event.respondWith(session(event));
  } else if (ROOM_PAGE.test(pathname) && !['before', 'after', 'around'].some((edge) => searchParams.has(edge))) {
    event.respondWith(roomPage(event, pathname));
  } else if (PICTURE.test(pathname)) {
    event.respondWith(picture(request));
  }
});

/** Signing in or out: the next user must not see the last one's data. */
function isOtherPerson(method, path) {
  return path === '/api/session' || (method === 'POST' && /^\/api\/(?:setup$|(?:join|invitations)\/|session\/(?:transfer|reset)\/)/.test(path));
}

async function forget() {
  generation += 1;
  await Promise.all([caches.delete(DATA_CACHE), caches.delete(PICTURE_CACHE)]);
}

/** The promise's value, or undefined if it fails or takes too long. */
function within(milliseconds, promise) {
  return Promise.race([promise.catch(() => undefined), new Promise((done) => setTimeout(done, milliseconds))]);
}

const preloadedOrFetched = async (event) => (await event.preloadResponse) || fetch(event.request);

async function page(event) {
  const fetched = preloadedOrFetched(event);
  const response = await within(PAGE_PATIENCE_MS, fetched);
  // 5xx also comes from a proxy whose server is down.
  if (response && response.status < 500) return response;
  return (await (await caches.open(SHELL_CACHE)).match('/')) || fetched;
}

/** Assets are named by their hash, so a cached one never changes. */
async function asset(request) {
  const cache = await caches.open(SHELL_CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const response = await fetch(request);
  if (isAsset(response)) cache.put(request, response.clone());
  return response;
}

/** The server's answer, cached under a path. */
async function fromServer(request, path) {
  const asked = generation;
  const response = await fetch(request);
  if (response.status === 401 && /\bjson\b/.test(response.headers.get('content-type') || '')) await forget();
  if (isData(response) && asked === generation) {
    const cache = await caches.open(DATA_CACHE);
    // A cache keeps the order of insertion: the first entries are those not seen for longest.
    const copy = response.clone();
    await cache.delete(path);
    await cache.put(path, copy);
    const rooms = (await cache.keys()).filter(({ url }) => ROOM_PAGE.test(new URL(url).pathname));
    for (const old of rooms.slice(0, -KEPT_ROOMS)) await cache.delete(old);
  }
  return response;
}

/** The server's answer, or the cached one if the server fails or is too slow. */
async function freshOrKept(event, path) {
  const fetched = fromServer(event.request, path);
  event.waitUntil(fetched.catch(() => {}));
  const response = await within(DATA_PATIENCE_MS, fetched);
  if (response && response.status < 500) return { response };
  const kept = await (await caches.open(DATA_CACHE)).match(path);
  return kept ? { kept } : { response: await fetched };
}

/** What was cached is marked, so that the page catches up once it is connected. */
async function marked({ response, kept }) {
  return response || Response.json({ ...(await kept.json()), is_kept: true });
}

const roomPage = async (event, path) => marked(await freshOrKept(event, path));
const session = async (event) => marked(await freshOrKept(event, '/api/session'));

async function picture(request) {
  const cache = await caches.open(PICTURE_CACHE);
  const kept = await cache.match(request);
  // A picture with a version in its address never changes.
  if (kept && new URL(request.url).searchParams.has('v')) return kept;
  try {
    const asked = generation;
    // By address: the request is aborted when its image leaves the page.
    const response = await fetch(request.url, { credentials: 'same-origin' });
    const isNew = response.headers.get('etag') !== kept?.headers.get('etag');
    if (isPicture(response) && isNew && asked === generation) {
      const copy = response.clone();
      cache.put(request, copy).then(() => cache.keys()).then((all) => Promise.all(all.slice(0, -KEPT_PICTURES).map((old) => cache.delete(old)))).catch(() => {});
    }
    return response;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

addEventListener('message', ({ data, source }) => {
  if (data?.type === 'skip_waiting') skipWaiting();
  if (data?.type === 'forget') forget();
  if (data?.type !== 'what_are_you') return;
  // A page that was reloaded in the meantime has this version already.
  if (data.parts.every((part) => SHELL.includes(part))) skipWaiting();
  else source.postMessage({ type: 'new_version' });
});

// Notifications

addEventListener('push', (event) => {
  event.waitUntil(show(event.data));
});

/** Each push shows a notification: browsers take the subscription away from a page that does not, Apple's after three. */
async function show(data) {
  const notice = read(data);
  const { title, body = '', path = '/', room_id: room, badge, icon, silent } = notice;
  if (Number.isInteger(badge)) navigator.setAppBadge?.(badge).catch(() => {});
  const tag = room ? `room-${room}` : 'campfire';
  // Who looks at the room has read it: no sound, and it goes at once.
  const isKnown = Boolean(room) && await isRead(room).catch(() => false);
  await registration.showNotification(title || 'Campfire', {
    body: String(body), data: { path: String(path) }, tag, renotify: !isKnown, silent: isKnown || Boolean(silent), icon: icon || '/icons/icon-192.png', badge: '/icons/badge-96.png',
  });
  if (isKnown) for (const notification of await registration.getNotifications({ tag })) notification.close();
}

/** What a push says. A payload that cannot be read says nothing, but that something came. */
function read(data) {
  try {
    const notice = data?.json();
    // What ONCE Campfire has sent before the move says the same in other places.
    if (notice && typeof notice === 'object') return { ...notice.options, ...notice.options?.data, ...notice };
  } catch {
    // No JSON.
  }
  return {};
}

/** Whether the room is shown in a focused window. */
async function isRead(room) {
  const windows = await ownWindows();
  const looked = windows.filter(({ focused, visibilityState }) => focused && visibilityState === 'visible');
  const places = await Promise.all(looked.map(placeOf));
  return places.some((path) => path.split('/').slice(0, 3).join('/') === `/rooms/${room}`);
}

/** Our windows that show the page; a file or an answer of the API may be open in one of its own. */
async function ownWindows() {
  const windows = await clients.matchAll({ type: 'window', includeUncontrolled: true });
  return windows.filter(({ url }) => !/^\/(?:api|files|embeds|avatars|sounds|assets|icons|health|metrics)(?:\/|$)/.test(new URL(url).pathname));
}

addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(visit(event.notification.data?.path || '/'));
});

/** Shows a path: in the window that shows its room already, the one that has the focus, or any; else in a new one. */
async function visit(path) {
  const windows = await ownWindows();
  const places = await Promise.all(windows.map(placeOf));
  const room = path.split('/').slice(0, 3).join('/');
  const isThere = (_, place) => places[place].split('/').slice(0, 3).join('/') === room;
  const open = windows.find(isThere) || windows.find(({ focused }) => focused) || windows.find(({ visibilityState }) => visibilityState === 'visible') || windows[0];
  if (!open) return clients.openWindow(path);
  // Some browsers let a window be focused only right after the click.
  const shown = await open.focus().catch(() => null);
  if (!shown) return clients.openWindow(path);
  (shown.postMessage ? shown : open).postMessage({ type: 'go', path });
}

addEventListener('pushsubscriptionchange', (event) => {
  event.waitUntil(subscribeAgain(event.oldSubscription));
});

/** The push service has changed this device's endpoint. */
async function subscribeAgain(before) {
  const response = await fetch('/api/push/key');
  if (!isData(response)) return;
  const { public_key: key } = await response.json();
  const now = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: before?.options.applicationServerKey || key });
  await fetch('/api/push/subscriptions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(now) });
}
