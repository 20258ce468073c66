// The service worker outside a browser: what it keeps, and what it answers.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import vm from 'node:vm';

const SOURCE = readFileSync(new URL('../../web/sw.js', import.meta.url), 'utf8');
const ORIGIN = 'https://camp.example';

const json = (value, status = 200) => new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } });
const html = (status = 200) => new Response('<!doctype html><title>Sign in</title>', { status, headers: { 'content-type': 'text/html; charset=utf-8' } });
const nothing = () => Promise.reject(new TypeError('fetch failed'));

class Cache {
  entries = new Map();

  key(request) { return new URL(request.url ?? request, ORIGIN).pathname; }

  async match(request) { return this.entries.get(this.key(request))?.clone(); }

  async put(request, response) { this.entries.set(this.key(request), response); }

  async delete(request) { return this.entries.delete(this.key(request)); }

  async keys() { return [...this.entries.keys()].map((path) => ({ url: ORIGIN + path })); }
}

/** A worker; `ask(path)` gets its answer, undefined where it leaves the request to the browser. */
function worker({ shell = [] } = {}) {
  const stores = new Map();
  const listeners = {};
  const it = { answer: nothing, stores };
  const caches = {
    open: async (name) => stores.get(name) || stores.set(name, new Cache()).get(name),
    has: async (name) => stores.has(name), keys: async () => [...stores.keys()], delete: async (name) => stores.delete(name),
  };
  const context = {
    URL, URLSearchParams, Promise, Error, Request: class { constructor(url) { this.url = ORIGIN + url; } }, Response, setTimeout, location: new URL(ORIGIN), caches,
    fetch: (request) => it.answer(new URL(request.url ?? request, ORIGIN).pathname), addEventListener: (type, callback) => { listeners[type] = callback; },
    registration: { navigationPreload: null }, clients: { claim() {}, matchAll: async () => [] }, navigator: {}, skipWaiting() {},
  };
  vm.runInNewContext(SOURCE.replace('const SHELL = [];', `const SHELL = ${JSON.stringify(shell)};`), context);
  const happens = async (type, event = {}) => {
    let answer;
    const waits = [];
    listeners[type]({ respondWith: (promise) => { answer = promise; }, waitUntil: (promise) => waits.push(promise), ...event });
    const found = await answer;
    await Promise.allSettled(waits);
    return found;
  };
  return Object.assign(it, {
    happens, context,
    ask: (path, mode = 'cors') => happens('fetch', { request: { url: ORIGIN + path, method: 'GET', mode } }),
    kept: (path) => [...stores.values()].some((cache) => cache.entries.has(path)),
  });
}

test('worker keeps the server\'s answers and gives them when it is away, marked', async () => {
  const it = worker();
  for (const [path, body] of [['/api/session', { seq: 7 }], ['/api/rooms/1/messages', { messages: [] }]]) {
    it.answer = async () => json(body);
    assert.deepEqual(await (await it.ask(path)).json(), body);
    it.answer = nothing;
    assert.deepEqual(await (await it.ask(path)).json(), { ...body, is_kept: true }, path);
  }
});

test('worker leaves to the server what has to be fresh (B5)', async () => {
  const it = worker();
  for (const path of ['/api/session?fresh', '/api/rooms/1/messages?fresh', '/api/rooms/1/messages?around=5', '/api/sync?since=4&with=rooms']) assert.equal(await it.ask(path), undefined, path);
});

test('worker keeps nothing that something in front of the server answered (F1)', async () => {
  const it = worker();
  it.answer = async () => html();
  for (const path of ['/api/session', '/api/rooms/1/messages', '/assets/app-12345678.js', '/avatars/3', '/files/3/thumbnail']) {
    const answer = await it.ask(path);
    assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(it.kept(path), false, path);
  }
  it.answer = async () => json({ seq: 7 });
  await it.ask('/api/session');
  // A gateway's refusal is none of the server's: what is kept stays.
  it.answer = async () => html(401);
  await it.ask('/api/session');
  assert.equal(it.kept('/api/session'), true);
  it.answer = async () => json({ code: 'not_signed_in' }, 401);
  await it.ask('/api/session');
  assert.equal(it.kept('/api/session'), false);
});

test('worker of which a part was answered by something else is not installed (F1)', async () => {
  const shell = ['/', '/assets/app-1.js', '/assets/app-1.css'];
  const typed = (type, text = '') => new Response(text, { headers: { 'content-type': type } });
  const ours = { '/': () => typed('text/html', '<script src="/assets/app-1.js"></script><link href="/assets/app-1.css">'), '/assets/app-1.js': () => typed('text/javascript'), '/assets/app-1.css': () => typed('text/css') };
  const installs = (changed) => {
    const it = worker({ shell });
    it.answer = async (path) => ({ ...ours, ...changed })[path]();
    return new Promise((done) => {
      it.happens('install', { waitUntil: (promise) => promise.then(() => done(true), () => done(false)) });
    });
  };
  assert.equal(await installs({}), true);
  for (const path of shell) assert.equal(await installs({ [path]: () => html() }), false, path);
});

test('worker that is told to forget keeps no answer that was under way (B12)', async () => {
  const it = worker();
  it.answer = async () => json({ seq: 7 });
  await it.ask('/api/session');
  let done;
  it.answer = () => new Promise((resolve) => { done = resolve; });
  const asked = it.ask('/api/session');
  await it.happens('message', { data: { type: 'forget' } });
  done(json({ seq: 8 }));
  await asked;
  assert.equal(it.kept('/api/session'), false);
});

/** A worker with windows, and the notifications that it shows. A window is `{path, focused, visible}`. */
function notifying(windows = []) {
  const it = worker();
  const shown = [];
  const opened = [];
  const told = [];
  const all = windows.map(({ path, url = path, focused = false, visible = true }) => ({
    url: ORIGIN + url, focused, visibilityState: visible ? 'visible' : 'hidden',
    postMessage(data, ports) {
      if (data.type === 'where_are_you') ports[0].postMessage(path);
      else told.push([path, data.path]);
    },
    async focus() { return this; },
  }));
  Object.assign(it.context, { MessageChannel: Channel });
  it.context.clients.matchAll = async () => all;
  it.context.clients.openWindow = async (path) => opened.push(path);
  it.context.registration.showNotification = async (title, options) => shown.push({ title, ...options, isOpen: true });
  it.context.registration.getNotifications = async ({ tag }) => shown.filter((one) => one.tag === tag && one.isOpen).map((one) => ({ close() { one.isOpen = false; } }));
  const push = (data) => it.happens('push', { data: data === undefined ? null : { json: () => JSON.parse(data) } });
  const click = (path) => it.happens('notificationclick', { notification: { close() {}, data: path && { path } } });
  return { push, click, shown, opened, told };
}

class Channel {
  constructor() {
    this.port1 = {};
    this.port2 = { postMessage: (data) => queueMicrotask(() => this.port1.onmessage({ data })) };
  }
}

test('every push shows something, whatever it says (F15)', async () => {
  for (const data of [undefined, 'null', '3', '"text"', '[]', '{}', '{"title":', '{"title":null,"body":null,"path":7}', '{"title":"A","room_id":3}']) {
    const it = notifying();
    await it.push(data);
    assert.equal(it.shown.length, 1, data);
    assert.ok(it.shown[0].title.length > 0, data);
    assert.equal(it.shown[0].isOpen, true);
  }
});

test('push of the room that is looked at is shown without a sound, and taken away (F15)', async () => {
  const it = notifying([{ path: '/rooms/3/@9', url: '/', focused: true }]);
  await it.push('{"title":"A","body":"b","room_id":3,"path":"/rooms/3/@10"}');
  assert.deepEqual(it.shown.map(({ silent, renotify, isOpen }) => [silent, renotify, isOpen]), [[true, false, false]]);
  // A browser refuses one that is silent and asks for attention again.
  await it.push('{"title":"A","body":"b","room_id":4,"path":"/rooms/4/@11"}');
  assert.deepEqual([it.shown[1].silent, it.shown[1].renotify, it.shown[1].isOpen], [false, true, true]);
});

test('push that ONCE Campfire sent before the move shows what it says', async () => {
  const it = notifying();
  await it.push('{"title":"Ops","options":{"body":"Ada: it is back","icon":"/account/logo","data":{"path":"/rooms/7","badge":3}}}');
  assert.deepEqual(it.shown.map(({ title, body, data }) => [title, body, data.path]), [['Ops', 'Ada: it is back', '/rooms/7']]);
});

test('click on a notification goes to a window of the page, not to a file that is open (F15)', async () => {
  const files = [{ path: '/files/3/plan.pdf', focused: true }, { path: '/api/openapi.json' }];
  const none = notifying(files);
  await none.click('/rooms/3/@10');
  assert.deepEqual([none.told, none.opened], [[], ['/rooms/3/@10']]);
  const other = notifying([...files, { path: '/rooms/1', visible: false }, { path: '/search' }]);
  await other.click('/rooms/3/@10');
  assert.deepEqual([other.told, other.opened], [[['/search', '/rooms/3/@10']], []]);
  const same = notifying([{ path: '/rooms/1', focused: true }, { path: '/rooms/3', visible: false }]);
  await same.click('/rooms/3/@10');
  assert.deepEqual(same.told, [['/rooms/3', '/rooms/3/@10']]);
  await same.click(undefined);
  assert.deepEqual(same.told[1], ['/rooms/1', '/']);
});
