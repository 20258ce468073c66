// The service worker: starts the page without a connection, with what was seen last, and shows what is pushed.

// Both are written in when the page is made ready; while it is worked on there is nothing to keep beforehand.
const VERSION = 'development';
const SHELL = [];

const SHELL_CACHE = `campfire-shell-${VERSION}`;
/** What belongs to whoever is signed in. `worker.js` forgets both by their beginning. */
const DATA_CACHE = 'campfire-data';
const PICTURE_CACHE = 'campfire-data-pictures';

const KEPT_ROOMS = 10;
const KEPT_PICTURES = 200;

/** So long a page may take before the kept one is shown, and what is in it before that is. */
const PAGE_PATIENCE_MS = 2000;
const DATA_PATIENCE_MS = 4000;

/** So long a window may take to say where it is. */
const ANSWER_PATIENCE_MS = 500;

const ROOM_PAGE = /^\/api\/rooms\/\d+\/messages$/;
const PICTURE = /^\/(?:avatars\/\d+|files\/\d+\/thumbnail|api\/account\/logo)$/;

/** Goes up when what is kept is forgotten: an answer that was asked for before that is not kept any more. */
let generation = 0;

addEventListener('install', (event) => {
  event.waitUntil(prepare());
});

async function prepare() {
  const cache = await caches.open(SHELL_CACHE);
  // The page itself may lie in the browser's own cache from before.
  await cache.addAll(SHELL.map((path) => new Request(path, path === '/' ? { cache: 'reload' } : {})));
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

/** The first page was there before this worker: what it shows is asked for once more, out of the browser's cache mostly. */
async function keepWhatIsShown() {
  const windows = await clients.matchAll({ type: 'window' });
  const places = await Promise.all(windows.map(placeOf));
  const rooms = places.map((path) => /^\/rooms\/\d+/.exec(path)?.[0]).filter(Boolean);
  for (const path of ['/api/session', ...rooms.map((room) => `/api${room}/messages`)]) {
    await fromServer(new Request(path), path).catch(() => {});
  }
}

/** The path that a window shows. Its `url` is only the one that it was opened with. */
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
  } else if (request.mode === 'navigate') {
    if (!/^\/(?:api|files|embeds)\//.test(pathname)) event.respondWith(page(event));
  } else if (pathname.startsWith('/assets/')) {
    event.respondWith(asset(request));
  } else if (pathname === '/api/session') {
    event.respondWith(session(event));
  } else if (ROOM_PAGE.test(pathname) && !['before', 'after', 'around'].some((edge) => searchParams.has(edge))) {
    event.respondWith(roomPage(event, pathname));
  } else if (PICTURE.test(pathname)) {
    event.respondWith(picture(request));
  }
});

/** Whoever signs in or out here must not find what another has seen. */
function isOtherPerson(method, path) {
  return path === '/api/session' || (method === 'POST' && /^\/api\/(?:setup$|join\/|session\/(?:transfer|reset)\/)/.test(path));
}

async function forget() {
  generation += 1;
  await Promise.all([caches.delete(DATA_CACHE), caches.delete(PICTURE_CACHE)]);
}

/** What the promise gives, or nothing if it fails or takes too long. */
function within(milliseconds, promise) {
  return Promise.race([promise.catch(() => undefined), new Promise((done) => setTimeout(done, milliseconds))]);
}

async function page(event) {
  const fetched = Promise.resolve(event.preloadResponse).then((response) => response || fetch(event.request));
  const response = await within(PAGE_PATIENCE_MS, fetched);
  // A proxy before a server that is down answers in its place.
  if (response && response.status < 500) return response;
  return (await (await caches.open(SHELL_CACHE)).match('/')) || fetched;
}

/** Its name changes when it does. */
async function asset(request) {
  const cache = await caches.open(SHELL_CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) cache.put(request, response.clone());
  return response;
}

/** The server's answer, which is kept under a path. */
async function fromServer(request, path) {
  const asked = generation;
  const response = await fetch(request);
  if (response.status === 401) await forget();
  if (response.ok && asked === generation) {
    const cache = await caches.open(DATA_CACHE);
    // What is put anew goes to the end: the first ones are those that were not seen for longest.
    const copy = response.clone();
    await cache.delete(path);
    await cache.put(path, copy);
    const rooms = (await cache.keys()).filter(({ url }) => ROOM_PAGE.test(new URL(url).pathname));
    for (const old of rooms.slice(0, -KEPT_ROOMS)) await cache.delete(old);
  }
  return response;
}

/** The server's answer; in its place, where there is none, what was kept. */
async function freshOrKept(event, path) {
  const fetched = fromServer(event.request, path);
  event.waitUntil(fetched.catch(() => {}));
  const response = await within(DATA_PATIENCE_MS, fetched);
  if (response && response.status < 500) return { response };
  const kept = await (await caches.open(DATA_CACHE)).match(path);
  return kept ? { kept } : { response: await fetched };
}

const roomPage = async (event, path) => {
  const { response, kept } = await freshOrKept(event, path);
  return response || kept;
};

/** What was kept says so: the page has to catch up when the connection is back. */
async function session(event) {
  const { response, kept } = await freshOrKept(event, '/api/session');
  return response || Response.json({ ...(await kept.json()), is_kept: true });
}

async function picture(request) {
  const cache = await caches.open(PICTURE_CACHE);
  const kept = await cache.match(request);
  // With a version in its address it never changes.
  if (kept && new URL(request.url).searchParams.has('v')) return kept;
  try {
    const asked = generation;
    // By its address, not by the request: an image that leaves the page would take the answer along.
    const response = await fetch(request.url, { credentials: 'same-origin' });
    const isNew = response.headers.get('etag') !== kept?.headers.get('etag');
    if (response.status === 200 && isNew && asked === generation) {
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
  if (data?.type !== 'what_are_you') return;
  // A page that was loaded anew in the meantime is of this version already.
  if (data.parts.every((part) => SHELL.includes(part))) skipWaiting();
  else source.postMessage({ type: 'new_version' });
});

// Notifications

addEventListener('push', (event) => {
  event.waitUntil(show(event.data));
});

async function show(data) {
  let notice = {};
  try {
    notice = data.json();
  } catch {
    // A push without words still has to be seen: browsers ask for that.
  }
  const { title = 'Campfire', body = '', path = '/', room_id: room, badge } = notice;
  if (badge) navigator.setAppBadge?.(badge).catch(() => {});
  if (room && (await isRead(room))) return;
  await registration.showNotification(title, {
    body, data: { path }, tag: room ? `room-${room}` : 'campfire', renotify: true,
    icon: '/icons/icon-192.png', badge: '/icons/badge-96.png',
  });
}

/** Whether somebody looks at that room right now. */
async function isRead(room) {
  const windows = await clients.matchAll({ type: 'window', includeUncontrolled: true });
  const looked = windows.filter(({ focused, visibilityState }) => focused && visibilityState === 'visible');
  const places = await Promise.all(looked.map(placeOf));
  return places.some((path) => path.split('/').slice(0, 3).join('/') === `/rooms/${room}`);
}

addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(visit(event.notification.data?.path || '/'));
});

async function visit(path) {
  const windows = await clients.matchAll({ type: 'window', includeUncontrolled: true });
  const open = windows.find(({ focused }) => focused) || windows[0];
  if (!open) return clients.openWindow(path);
  open.postMessage({ type: 'go', path });
  return open.focus();
}

addEventListener('pushsubscriptionchange', (event) => {
  event.waitUntil(subscribeAgain(event.oldSubscription));
});

/** The push service has given this device another address. */
async function subscribeAgain(before) {
  const { public_key: key } = await (await fetch('/api/push/key')).json();
  const now = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: before?.options.applicationServerKey || key });
  await fetch('/api/push/subscriptions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(now) });
}
