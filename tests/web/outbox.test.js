import assert from 'node:assert/strict';
import test from 'node:test';

import { message, page, session, settled, signedIn } from './page.js';

const POST = 'POST /api/messages';

async function ready(options) {
  const it = await signedIn(options);
  const outbox = await it.load('outbox');
  await settled();
  return {
    ...it, outbox,
    /** Answers the request that waits as a server does that takes it. */
    take: (id) => {
      const request = it.server.asked('POST', '/api/messages');
      return request.answer(201, message(id, { creator_id: 1, content: request.body.content, client_message_id: request.body.client_message_id }));
    },
    refuse: (status, more = {}) => it.server.asked('POST', '/api/messages').answer(status, { detail: 'No.', code: 'refused', ...more }),
    sending: () => it.server.requests.map(({ body }) => body.content),
    waiting: () => outbox.pendingIn(1).map(({ content, status }) => `${content} ${status}`),
    kept: () => Object.keys(it.storage).filter((key) => key.startsWith('campfire.outbox.')).map((key) => JSON.parse(it.storage[key])),
  };
}

test('outbox sends one message at a time, in order', async () => {
  const it = await ready();
  for (const text of ['one', 'two', 'three']) it.outbox.enqueue(1, text);
  await settled();
  assert.deepEqual(it.sending(), ['one']);
  await it.take(10);
  assert.deepEqual(it.sending(), ['two']);
  await it.take(11);
  await it.take(12);
  assert.deepEqual([it.sending(), it.waiting(), it.kept()], [[], [], []]);
});

test('outbox sends what the server needs, and confirms what it took', async () => {
  const it = await ready();
  const confirmed = [];
  it.outbox.onConfirmed((message) => confirmed.push(message.id));
  const item = it.outbox.enqueue(1, 'hello', 7);
  await settled();
  assert.deepEqual(it.server.requests[0].body, { room_id: 1, content: 'hello', client_message_id: item.id, reply_to_id: 7 });
  assert.match(item.id, /^[0-9a-f]{32}$/);
  await it.take(10);
  assert.deepEqual(confirmed, [10]);
});

test('outbox keeps what waits on the device until the server has it', async () => {
  const it = await ready();
  it.outbox.enqueue(1, 'hello');
  await settled();
  assert.deepEqual(it.kept().map(({ content, room_id: room, user_id: who }) => [content, room, who]), [['hello', 1, 1]]);
  await it.take(10);
  assert.deepEqual(it.kept(), []);
});

test('outbox keeps order after a refused message', async () => {
  const it = await ready();
  for (const text of ['one', 'two', 'three']) it.outbox.enqueue(1, text);
  await settled();
  await it.refuse(422, { detail: 'content is odd' });
  assert.deepEqual(it.sending(), ['two'], 'what cannot pass holds up nothing');
  await it.take(11);
  await it.take(12);
  assert.deepEqual(it.waiting(), ['one failed']);
  const [{ id, why }] = it.outbox.pendingIn(1);
  assert.equal(why, 'content is odd');
  it.outbox.retry(id);
  await settled();
  assert.deepEqual(it.sending(), ['one']);
  await it.take(13);
  assert.deepEqual(it.waiting(), []);
});

test('outbox waits as long as the server says, and everything behind waits too', async () => {
  const it = await ready();
  for (const text of ['one', 'two']) it.outbox.enqueue(1, text);
  await settled();
  await it.refuse(429, { code: 'rate_limited', retry_after_ms: 1250 });
  assert.deepEqual(it.waiting(), ['one waiting', 'two waiting']);
  await it.clock.pass(1249);
  assert.deepEqual(it.sending(), []);
  await it.clock.pass(1);
  assert.deepEqual(it.sending(), ['one']);
  await it.take(10);
  assert.deepEqual(it.sending(), ['two']);
});

test('outbox reads no time out of words', async () => {
  const it = await ready();
  it.outbox.enqueue(1, 'one');
  await settled();
  await it.refuse(503, { detail: 'Too many requests: try again in 60 s.' });
  await it.clock.pass(2999);
  assert.deepEqual(it.sending(), []);
  await it.clock.pass(1);
  assert.deepEqual(it.sending(), ['one']);
});

test('outbox tries again after each passing failure, with the same id', async () => {
  const it = await ready();
  const { id } = it.outbox.enqueue(1, 'one');
  await settled();
  for (const status of [401, 408, 429, 502, 503, 504]) {
    await it.refuse(status);
    assert.deepEqual(it.waiting(), ['one waiting'], String(status));
    await it.clock.pass(3000);
    assert.equal(it.server.requests[0].body.client_message_id, id, String(status));
  }
  await it.server.asked('POST', '/api/messages').fail();
  await it.clock.pass(3000);
  await it.take(10);
  assert.deepEqual(it.waiting(), []);
});

test('outbox tells a message that found no server from one that has to wait its turn', async () => {
  const it = await ready();
  it.outbox.enqueue(1, 'one');
  await settled();
  await it.refuse(429, { retry_after_ms: 1000 });
  assert.equal(it.outbox.pendingIn(1)[0].isHeld, false);
  await it.clock.pass(1000);
  await it.server.asked('POST', '/api/messages').fail();
  assert.equal(it.outbox.pendingIn(1)[0].isHeld, true);
});

test('outbox gives up on an answer that does not come, and asks again', async () => {
  const it = await ready();
  const { id } = it.outbox.enqueue(1, 'one');
  await settled();
  await it.clock.pass(20000);
  assert.deepEqual(it.waiting(), ['one waiting']);
  await it.clock.pass(3000);
  assert.deepEqual(it.server.requests.map(({ body }) => body.client_message_id), [id, id]);
});

test('outbox sends nothing without a connection, and all of it once that is back', async () => {
  const it = await ready();
  await it.sockets.newest.ends();
  for (const text of ['one', 'two']) it.outbox.enqueue(1, text);
  await it.clock.pass(400);
  assert.deepEqual(it.server.waiting, []);
  it.state.connected = true;
  it.outbox.flush();
  await settled();
  assert.deepEqual(it.sending(), ['one']);
  await it.take(10);
  await it.take(11);
  assert.deepEqual(it.waiting(), []);
});

test('outbox sends a reply without its quote when that was deleted', async () => {
  const it = await ready();
  it.outbox.enqueue(1, 'one', 7);
  await settled();
  await it.refuse(422, { fields: { reply_to_id: ['is not there'] } });
  assert.deepEqual(it.server.requests.map(({ body }) => [body.content, body.reply_to_id]), [['one', undefined]]);
});

test('outbox says in the page\'s words that a room is gone', async () => {
  const it = await ready();
  it.outbox.enqueue(1, 'one');
  await settled();
  await it.refuse(404);
  assert.equal(it.outbox.pendingIn(1)[0].why, 'You are no longer in this room.');
});

test('outbox says how large a message may be from the limit', async () => {
  const it = await ready();
  it.outbox.enqueue(1, 'one');
  await settled();
  await it.refuse(413, { detail: 'The body is larger than 131072 bytes.', limit: 131072 });
  assert.equal(it.outbox.pendingIn(1)[0].why, 'This is too large: it may have 128 kB at most.');
});

test('outbox forgets a message that the room\'s events have, though its answer was lost', async () => {
  const it = await ready();
  const { id } = it.outbox.enqueue(1, 'one');
  it.outbox.enqueue(1, 'two');
  await settled();
  it.outbox.settled(id);
  await it.server.asked('POST', '/api/messages').fail();
  assert.deepEqual([it.waiting(), it.kept().length], [['two waiting'], 1]);
});

test('discarded message is not sent again', async () => {
  const it = await ready();
  const { id } = it.outbox.enqueue(1, 'one');
  await settled();
  await it.refuse(422);
  it.outbox.discard(id);
  it.outbox.retry(id);
  await it.clock.pass(60000);
  assert.deepEqual([it.sending(), it.waiting(), it.kept()], [[], [], []]);
});

test('outbox shows a room its own messages only', async () => {
  const it = await ready();
  it.outbox.enqueue(1, 'here');
  it.outbox.enqueue(2, 'there');
  assert.deepEqual(it.outbox.pendingIn(2).map(({ content }) => content), ['there']);
});

test('page that is loaded anew goes on where it was, in order', async () => {
  const first = await ready();
  for (const text of ['one', 'two', 'three']) {
    first.outbox.enqueue(1, text);
    await first.clock.pass(10);
  }
  // Whatever order the browser's storage has.
  const entries = Object.entries(first.storage).reverse();
  for (const [key] of entries) first.storage.removeItem(key);
  for (const [key, value] of entries) first.storage.setItem(key, value);
  const next = await ready({ storage: first.storage });
  assert.deepEqual(next.sending(), [], 'the window before may still be open');
  await next.clock.pass(120000);
  assert.deepEqual(next.sending(), ['one']);
  await next.take(10);
  await next.take(11);
  await next.take(12);
  assert.deepEqual(next.kept(), []);
});

test('page that is loaded anew in the same window goes on at once', async () => {
  const { tab } = page();
  const first = await ready({ tab });
  first.outbox.enqueue(1, 'one');
  await settled();
  const next = await ready({ storage: first.storage, tab });
  assert.deepEqual(next.sending(), ['one']);
  assert.equal(next.server.requests[0].body.client_message_id, first.server.requests[0].body.client_message_id);
});

test('window that is open keeps its messages to itself, one that was closed leaves them', async () => {
  const held = new Set();
  const locks = { request: (name) => held.add(name), query: async () => ({ held: [...held].map((name) => ({ name })) }) };
  const first = await ready({ locks });
  first.outbox.enqueue(1, 'one');
  await settled();
  const [lock] = held;
  const second = await ready({ locks, storage: first.storage });
  assert.deepEqual(second.sending(), []);
  held.delete(lock);
  await second.clock.pass(60000);
  assert.deepEqual(second.sending(), ['one']);
});

test('message that was left is taken over once, also while the browser is slow to tell the windows', async () => {
  const first = await ready();
  first.outbox.enqueue(1, 'one');
  await settled();
  const waiting = [];
  const locks = { request: () => {}, query: () => new Promise((done) => waiting.push(() => done({ held: [] }))) };
  const second = await ready({ locks, storage: first.storage });
  await second.clock.pass(60000);
  assert.equal(waiting.length, 2);
  waiting.forEach((tell) => tell());
  await settled();
  assert.deepEqual(second.waiting(), ['one sending']);
});

test('message that another window has sent meanwhile is dropped', async () => {
  const it = await ready();
  await it.sockets.newest.ends();
  const { id } = it.outbox.enqueue(1, 'one');
  await settled();
  await it.happens('storage', { key: `campfire.outbox.${id}`, newValue: null });
  assert.deepEqual(it.waiting(), []);
});

test('message of somebody else who was signed in here waits for that person', async () => {
  const first = await ready();
  first.outbox.enqueue(1, 'of Ada');
  await settled();
  const other = session({ user: { ...session().users[1] } });
  const next = await ready({ storage: first.storage, session: other });
  await next.clock.pass(120000);
  assert.deepEqual([next.sending(), next.waiting(), next.kept().length], [[], [], 1]);
});

test('entry in the storage that cannot be read keeps no other from being sent', async () => {
  const first = await ready();
  first.storage.setItem('campfire.outbox.broken', '{');
  first.storage.setItem('campfire.outbox.null', 'null');
  first.outbox.enqueue(1, 'one');
  await settled();
  const next = await ready({ storage: first.storage });
  await next.clock.pass(120000);
  assert.deepEqual(next.sending(), ['one']);
});

test('storage that is full or forbidden loses nothing while the page is open', async () => {
  const forbidden = { getItem: () => { throw new Error('no'); }, setItem: () => { throw new Error('no'); }, removeItem: () => { throw new Error('no'); } };
  const it = await ready({ storage: forbidden, tab: forbidden });
  it.outbox.enqueue(1, 'one');
  await settled();
  await it.server.asked('POST', '/api/messages').fail();
  await it.clock.pass(3000);
  assert.deepEqual(it.server.waiting, [POST]);
});

test('message that something in front of the server answered is kept, to be sent again by hand (F1)', async () => {
  for (const [status, body] of [[200, '<!doctype html><title>Sign in</title>'], [204, undefined], [200, { ok: true }], [200, []], [403, '<h1>Forbidden</h1>'], [404, '<h1>Not here</h1>']]) {
    const it = await ready();
    it.outbox.enqueue(1, 'behind a gateway');
    await settled();
    await it.server.asked('POST', '/api/messages').answer(status, body);
    await it.clock.pass(60000);
    const [item] = it.outbox.pendingIn(1);
    assert.deepEqual([item.content, item.status, it.server.waiting.includes(POST)], ['behind a gateway', 'failed', false], `${status} ${body}`);
    assert.match(item.why, /^Something in front of the server answered in its place/);
    assert.equal(it.kept().length, 1);
    it.outbox.retry(item.id);
    await settled();
    await it.take(110);
    assert.deepEqual([it.waiting(), it.kept()], [[], []]);
  }
});
