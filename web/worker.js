// The service worker from the page's side: registering it, new versions, installing, forgetting. Without TLS there is none.

import { toast } from './components/toast.js';
import { listen } from './live.js';
import { roomHere } from './rooms.js';
import { go } from './routes.js';
import { changed, state, watch } from './store.js';
import { texts } from './texts.js';

/** The least time between two looks for a new version. */
const LOOK_EVERY_MS = 10 * 60 * 1000;

/** The least time between two fetches of what is kept. */
const KEEP_EVERY_MS = 60 * 1000;

const container = navigator.serviceWorker;
let registration = null;
let invitation = null;
let looked = 0;
let kept = 0;

/** Registers it when the page has nothing else to do. */
export function registerWorker() {
  if (!container || registration) return;
  const idle = window.requestIdleCallback || ((callback) => setTimeout(callback, 1000));
  idle(async () => {
    try {
      registration = await container.register('/sw.js');
    } catch {
      // The browser does not want it: the page works all the same.
      return;
    }
    looked = Date.now();
    if (registration.waiting) ask(registration.waiting);
    registration.addEventListener('updatefound', () => {
      const coming = registration.installing;
      coming.addEventListener('statechange', () => {
        // The first one replaces nothing.
        if (coming.state === 'installed' && container.controller) ask(coming);
      });
    });
  });
}

/** Tells a new worker what this page is made of; if that is another version, it answers. */
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

/** What came over the socket is not in what the worker keeps: whoever leaves the page has it keep the newest. */
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
  // A connection that was lost may have been a server that was renewed.
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

/** Notifications of what has been read, here or elsewhere, are of no use any more. */
async function clearRead() {
  for (const notification of (await registration?.getNotifications?.()) || []) {
    const room = state.rooms.get(Number(/^room-(\d+)$/.exec(notification.tag)?.[1]));
    if (room && !room.membership.unread_count) notification.close();
  }
}

watch(['rooms'], () => {
  if (document.visibilityState === 'visible' && globalThis.Notification?.permission === 'granted') clearRead();
});

/** At the end of a session: what was kept of it, and its notifications. Its push service then tells the server. */
export async function forgetOffline() {
  if (!container) return;
  const names = globalThis.caches ? await caches.keys() : [];
  await Promise.all(names.filter((name) => name.startsWith('campfire-data')).map((name) => caches.delete(name)));
  const found = await container.getRegistration();
  for (const notification of (await found?.getNotifications?.()) || []) notification.close();
  await (await found?.pushManager?.getSubscription())?.unsubscribe();
  await navigator.clearAppBadge?.();
}

// Installing

addEventListener('beforeinstallprompt', (event) => {
  // The browser's own bar would come unasked; the settings have a button.
  event.preventDefault();
  invitation = event;
  changed('install');
});

addEventListener('appinstalled', () => {
  invitation = null;
  changed('install');
});

/** Whether the browser lets us offer it; topic `install` tells when that changes. */
export const canInstall = () => invitation !== null;

/** Whether this is the installed app already. */
export const isInstalled = () => matchMedia('(display-mode: standalone)').matches || navigator.standalone === true;

/** Asks; answers whether it was taken. */
export async function install() {
  if (!invitation) return false;
  invitation.prompt();
  const { outcome } = await invitation.userChoice;
  invitation = null;
  changed('install');
  return outcome === 'accepted';
}
