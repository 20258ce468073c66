import assert from 'node:assert/strict';
import test from 'node:test';

import { page, settled } from './page.js';

const KEY = new Uint8Array(65).map((_, place) => place * 3);
const NAME = Buffer.from(KEY).toString('base64url');
const OTHER = Buffer.from(KEY.map((byte) => byte + 1)).toString('base64url');

/** A browser in which this page is subscribed with `KEY`; `made` are the subscriptions since. */
async function subscribed({ permission = 'granted', isSubscribed = true } = {}) {
  const it = page();
  const made = [];
  const registration = { active: {}, pushManager: {
    here: isSubscribed ? { endpoint: 'https://push.example/1', options: { applicationServerKey: KEY.buffer }, unsubscribe: async () => { registration.pushManager.here = null; } } : null,
    getSubscription: async () => registration.pushManager.here,
    subscribe: async ({ applicationServerKey: key }) => {
      made.push(key);
      return { toJSON: () => ({ endpoint: 'https://push.example/2' }) };
    },
  } };
  Object.assign(navigator, { serviceWorker: { getRegistration: async () => registration } });
  globalThis.PushManager = class {};
  globalThis.Notification = { permission, requestPermission: async () => permission };
  return { ...it, made, push: await it.load('push') };
}

async function answer(it, key, subscriptions) {
  await settled();
  await it.server.asked('GET', '/api/push/subscriptions').answer(200, { subscriptions });
  await it.server.asked('GET', '/api/push/key').answer(200, { public_key: key });
}

test('device that is subscribed with another server\'s key counts as off (F24)', async () => {
  const known = [{ id: 1, endpoint: 'https://push.example/1' }];
  for (const [key, subscriptions, state] of [[NAME, known, 'on'], [`${NAME}=`, known, 'on'], [OTHER, known, 'off'], [NAME, [], 'off']]) {
    const it = await subscribed();
    const found = it.push.pushState();
    await answer(it, key, subscriptions);
    assert.equal(await found, state);
  }
});

test('subscription that the server cannot use is made anew without a word (F24)', async () => {
  const it = await subscribed();
  const done = it.push.repairPush();
  await answer(it, OTHER, [{ id: 1, endpoint: 'https://push.example/1' }]);
  await it.server.asked('GET', '/api/push/key').answer(200, { public_key: OTHER });
  await settled();
  assert.deepEqual(it.made, [OTHER]);
  await it.server.asked('POST', '/api/push/subscriptions').answer(201, { id: 2, endpoint: 'https://push.example/2' });
  await done;
});

test('device that was turned off, or never asked, is left alone', async () => {
  for (const options of [{ isSubscribed: false }, { permission: 'default' }, { permission: 'denied' }]) {
    const it = await subscribed(options);
    await it.push.repairPush();
    assert.deepEqual([it.server.waiting, it.made], [[], []]);
  }
});
