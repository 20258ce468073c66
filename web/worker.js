// The page's side of the service worker: registration, new versions, installing, clearing. Without TLS there is no worker.

import { toast } from './components/toast.js';
import { listen } from './live.js';
import { roomHere } from './rooms.js';
import { go } from './routes.js';
import { changed, state, watch } from './store.js';
import { texts } from './texts.js';

/** The least time between two checks for a new version. */
const LOOK_EVERY_MS = 10 * 60 * 1000;

/** The least time between two refreshes of the cache. */
const KEEP_EVERY_MS = 60 * 1000;

const container = navigator.serviceWorker;
let registration = null;
let invitation = null;
let looked = 0;
let kept = 0;

/** Registers the worker when the page is idle. */
export function registerWorker() {
  if (!container || registration) return;
  const idle = window.requestIdleCallback || ((callback) => setTimeout(callback, 1000));
  idle(async () => {
    try {
      registration = await container.register('/sw.js');
    } catch {
      // The page works without a worker.
      return;
    }
    looked = Date.now();
    if (globalThis.Notification?.permission === 'granted') import('./push.js').then(({ repairPush }) => repairPush()).catch(() => {});
    if (registration.waiting) ask(registration.waiting);
    registration.addEventListener('updatefound', () => {
      const coming = registration.installing;
      coming.addEventListener('statechange', () => {
        // The first worker replaces none.
        if (coming.state === 'installed' && container.controller) ask(coming);
      });
    });
  });
}

/** Tells a new worker which files this page has; if they are another version's, it answers. */
function ask(waiting) {
  const parts = [...document.querySelectorAll('script[src], link[rel="stylesheet"]')].map((part) => new URL(part.src || part.href).pathname);
  waiting.postMessage({ type: 'what_are_you', parts });
}

function offer(waiting) {
  toast(texts.device.newVersion, { action: texts.device.loadIt, onaction: () => {
    container.addEventListener('controllerchange', () => location.reload(), { once: true });
    waiting.postMessage({ type: 'skip_waiting' });
  } });
}

/** Events change the page, not the cache: when the page is left, the worker fetches the newest state. */
function keepWhatIsShown() {
  if (!container?.controller || !state.me || !state.connected || Date.now() - kept < KEEP_EVERY_MS) return;
  kept = Date.now();
  const room = roomHere();
  for (const path of ['/api/session', ...(room ? [`/api/rooms/${room}/messages`] : [])]) fetch(path, { keepalive: true }).catch(() => {});
}

function lookForNew() {
  if (!registration || Date.now() - looked < LOOK_EVERY_MS) return;
  looked = Date.now();
  registration.update().catch(() => {});
}

listen((event) => {
  if (event.type === 'message.deleted' || event.type === 'unread_gone') closeDeleted(event);
  // The server may have been restarted with a new version.
  if (event.type !== 'back' || !registration) return;
  looked = 0;
  lookForNew();
});

document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'hidden') return keepWhatIsShown();
  lookForNew();
  clearRead();
});

container?.addEventListener('message', ({ data, source, ports }) => {
  if (data?.type === 'go') go(data.path);
  if (data?.type === 'where_are_you') ports[0].postMessage(location.pathname);
  if (data?.type === 'new_version') offer(source);
});

/** Closes the notifications of messages that have been read, here or elsewhere. */
async function clearRead() {
  for (const notification of (await registration?.getNotifications?.()) || []) {
    const room = state.rooms.get(Number(/^room-(\d+)$/.exec(notification.tag)?.[1]));
    if (room && !room.membership.unread_count) notification.close();
  }
}

/** Closes the notification of a message that was deleted. */
async function closeDeleted({ room_id: room, message_id: id }) {
  if (globalThis.Notification?.permission !== 'granted') return;
  for (const notification of (await registration?.getNotifications?.({ tag: `room-${room}` })) || []) {
    if (notification.data?.path.endsWith(`/@${id}`)) notification.close();
  }
}

watch(['rooms'], () => {
  if (document.visibilityState === 'visible' && globalThis.Notification?.permission === 'granted') clearRead();
});

/** Deletes what is kept of the server's data. The worker does not keep answers to requests made before, either. */
export async function forgetCaches() {
  container?.controller?.postMessage({ type: 'forget' });
  const names = globalThis.caches ? await caches.keys() : [];
  await Promise.all(names.filter((name) => name.startsWith('campfire-data')).map((name) => caches.delete(name)));
}

/** At sign-out: deletes the caches, the notifications and the push subscription; the server's side of it ends with the session. */
export async function forgetOffline() {
  if (!container) return;
  await forgetCaches();
  const found = await container.getRegistration();
  for (const notification of (await found?.getNotifications?.()) || []) notification.close();
  await (await found?.pushManager?.getSubscription())?.unsubscribe();
  await navigator.clearAppBadge?.();
}

// Installing

addEventListener('beforeinstallprompt', (event) => {
  // Settings have a button for it; the browser's own prompt is suppressed.
  event.preventDefault();
  invitation = event;
  changed('install');
});

addEventListener('appinstalled', () => {
  invitation = null;
  changed('install');
});

/** Whether the app can be installed; topic `install` announces a change. */
export const canInstall = () => invitation !== null;

/** Whether this is the installed app. */
export const isInstalled = () => matchMedia('(display-mode: standalone)').matches || navigator.standalone === true;

/** Asks to install; returns whether the user accepted. */
export async function install() {
  if (!invitation) return false;
  invitation.prompt();
  const { outcome } = await invitation.userChoice;
  invitation = null;
  changed('install');
  return outcome === 'accepted';
}
