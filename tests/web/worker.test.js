// The page's side of the service worker: what stays on a device, and what goes.

import assert from 'node:assert/strict';
import test from 'node:test';

import { settled, signedIn } from './page.js';

/** A signed-in page with a worker, a push subscription, notifications and caches. */
async function ready() {
  const done = [];
  const notification = (tag, path) => ({ tag, data: { path }, close: () => done.push(`closed ${path}`) });
  const notifications = [notification('room-1', '/rooms/1/@101'), notification('room-1', '/rooms/1/@102'), notification('room-2', '/rooms/2/@101')];
  const registration = Object.assign(new EventTarget(), {
    getNotifications: async ({ tag } = {}) => notifications.filter((one) => !tag || one.tag === tag),
    pushManager: { getSubscription: async () => ({ unsubscribe: async () => done.push('unsubscribed') }) }, update: async () => {},
  });
  const it = await signedIn();
  const worker = { postMessage: ({ type }) => done.push(`told ${type}`) };
  navigator.serviceWorker = Object.assign(new EventTarget(), { controller: worker, register: async () => registration, getRegistration: async () => registration });
  navigator.clearAppBadge = async () => done.push('badge cleared');
  globalThis.window = { requestIdleCallback: (callback) => callback() };
  globalThis.Notification = { permission: 'granted' };
  globalThis.caches = { keys: async () => ['campfire-shell-1', 'campfire-data', 'campfire-data-pictures'], delete: async (name) => done.push(`deleted ${name}`) };
  const page = await it.load('worker');
  page.registerWorker();
  await settled();
  it.document.visibilityState = 'hidden';
  return { ...it, page, done };
}

test('sign-out leaves no subscription, no notification and nothing that was kept (F2)', async () => {
  const { page, done } = await ready();
  await page.forgetOffline();
  assert.deepEqual(done, ['told forget', 'deleted campfire-data', 'deleted campfire-data-pictures', 'closed /rooms/1/@101', 'closed /rooms/1/@102', 'closed /rooms/2/@101', 'unsubscribed', 'badge cleared']);
});

test('notification of a message goes with it, also while nobody looks (F5)', async () => {
  const it = await ready();
  const [socket] = it.sockets.all;
  await socket.says({ type: 'unread_changed', room_id: 1, message_id: 101, unread: -1, mentions: 0 });
  assert.deepEqual(it.done, ['closed /rooms/1/@101']);
  it.live.join(1, 100);
  await socket.says({ type: 'joined', room_id: 1, seq: 102, present: [1] }, { type: 'message.deleted', seq: 103, room_id: 1, message_id: 102, mentions: [], everyone: false }, { type: 'unread_changed', room_id: 2, message_id: 101, unread: 0, mentions: -1 });
  assert.deepEqual(it.done, ['closed /rooms/1/@101', 'closed /rooms/1/@102']);
});
