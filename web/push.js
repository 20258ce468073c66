// Notifications of this device, also while the page is closed.

import { get, post, remove } from './api.js';
import { texts } from './texts.js';

const isSupported = () => Boolean(navigator.serviceWorker && globalThis.PushManager && globalThis.Notification);

async function subscription() {
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) || null;
}

/** What the server has of this device: an entry of `/api/push/subscriptions`, or null. */
export async function thisDevice() {
  const here = isSupported() && (await subscription());
  if (!here) return null;
  const { subscriptions } = await get('/api/push/subscriptions');
  return subscriptions.find(({ endpoint }) => endpoint === here.endpoint) || null;
}

/** 'unsupported' (also without TLS), 'denied' by the person, 'off' or 'on'. */
export async function pushState() {
  if (!isSupported()) return 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  return (await thisDevice()) ? 'on' : 'off';
}

/** Asks the person, the browser and the server. Throws an Error with words for people. Answers the server's entry. */
export async function enablePush() {
  if (!isSupported()) throw new Error(texts.device.pushUnsupported);
  const answer = await Notification.requestPermission();
  if (answer === 'denied') throw new Error(texts.device.pushDenied);
  if (answer !== 'granted') throw new Error(texts.device.pushNotAsked);
  const { public_key: key } = await get('/api/push/key');
  let made;
  try {
    const registration = (await navigator.serviceWorker.getRegistration()) || (await navigator.serviceWorker.register('/sw.js'));
    // Another key (another server was here) cannot be subscribed over.
    await (await registration.pushManager.getSubscription())?.unsubscribe();
    await active(registration);
    made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch {
    throw new Error(texts.device.pushFailed);
  }
  return post('/api/push/subscriptions', made.toJSON());
}

/** Only a worker that is at work can be pushed to. */
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
