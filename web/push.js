// Push notifications of this device.

import { get, post, remove } from './api.js';
import { texts } from './texts.js';

const isSupported = () => Boolean(navigator.serviceWorker && globalThis.PushManager && globalThis.Notification);

async function subscription() {
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) || null;
}

/** This device's entry in `/api/push/subscriptions`, or null. */
export async function thisDevice() {
  const here = isSupported() && (await subscription());
  if (!here) return null;
  const [{ subscriptions }, { public_key: key }] = await Promise.all([get('/api/push/subscriptions'), get('/api/push/key')]);
  // The push service takes nothing that is signed by another key than the one it was subscribed with.
  if (!isOf(here, key)) return null;
  return subscriptions.find(({ endpoint }) => endpoint === here.endpoint) || null;
}

/** Whether a subscription was made for the server with this public key, in base64url. Some browsers do not tell. */
export function isOf({ options }, key) {
  if (!options?.applicationServerKey) return true;
  const bytes = String.fromCharCode(...new Uint8Array(options.applicationServerKey));
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') === key.replace(/=+$/, '');
}

/**
 * Repairs the subscription of this device without a word: after a server was set up anew it has another key, and a restored one
 * does not know the device. One that was turned off stays off.
 */
export async function repairPush() {
  if (!isSupported() || Notification.permission !== 'granted' || !await subscription() || await thisDevice()) return;
  await enablePush();
}

/** 'unsupported' (also without TLS), 'denied' by the user, 'off' or 'on'. */
export async function pushState() {
  if (!isSupported()) return 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  return (await thisDevice()) ? 'on' : 'off';
}

/** Asks for permission, subscribes, and registers the subscription with the server. Throws an Error with a message to show. Returns the server's entry. */
export async function enablePush() {
  if (!isSupported()) throw new Error(texts.device.pushUnsupported);
  const answer = await Notification.requestPermission();
  if (answer === 'denied') throw new Error(texts.device.pushDenied);
  if (answer !== 'granted') throw new Error(texts.device.pushNotAsked);
  const { public_key: key } = await get('/api/push/key');
  let made;
  try {
    const registration = (await navigator.serviceWorker.getRegistration()) || (await navigator.serviceWorker.register('/sw.js'));
    // A subscription with another server's key cannot be renewed.
    await (await registration.pushManager.getSubscription())?.unsubscribe();
    await active(registration);
    made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch {
    throw new Error(texts.device.pushFailed);
  }
  return post('/api/push/subscriptions', made.toJSON());
}

/** Waits until the worker is active: only then can it subscribe. */
function active({ active: now, installing, waiting }) {
  const coming = installing || waiting;
  if (now || !coming) return Promise.resolve();
  return new Promise((done) => {
    coming.addEventListener('statechange', () => {
      if (coming.state === 'activated') done();
    });
  });
}

export async function disablePush() {
  if (!isSupported()) return;
  const device = await thisDevice().catch(() => null);
  await (await subscription())?.unsubscribe();
  if (device) await remove(`/api/push/subscriptions/${device.id}`);
}
