import assert from 'node:assert/strict';
import test from 'node:test';

import { message, signedIn } from './page.js';

const MB = 1 << 20;

async function ready(options) {
  const it = await signedIn(options);
  const outbox = await it.load('outbox');
  const uploads = await it.load('uploads');
  const confirmed = [];
  outbox.onConfirmed((one) => confirmed.push(one.id));
  return {
    ...it, confirmed,
    // `it.uploads` are the requests.
    requests: it.uploads, own: uploads,
    shown: (room = 1) => uploads.uploadsIn(room).map(({ name, status }) => `${name} ${status}`),
    why: () => uploads.uploadsIn(1).map(({ why }) => why),
    send: (...names) => uploads.enqueueFiles(1, names.map((name) => file(name))),
  };
}

/** A file of a size that nobody has to have in memory. */
function file(name, size = 1000, type = 'text/plain') {
  const made = new File(['x'], name, { type });
  Object.defineProperty(made, 'size', { value: size });
  return made;
}

test('upload sends its text, its id and then the file', async () => {
  const it = await ready();
  it.own.enqueueFiles(1, [file('a.txt'), file('b.txt')], { content: 'look', replyTo: 7 });
  const [first] = it.requests.all;
  const [item] = it.own.uploadsIn(1);
  assert.deepEqual([first.method, first.path], ['POST', '/api/rooms/1/attachments']);
  assert.deepEqual([...first.form.keys()], ['content', 'reply_to_id', 'client_message_id', 'file'], 'the server reads them in this order');
  assert.deepEqual([first.form.get('content'), first.form.get('reply_to_id'), first.form.get('client_message_id')], ['look', '7', item.id]);
  await first.answer(201, message(10));
  assert.deepEqual([...it.requests.all[1].form.keys()], ['client_message_id', 'file'], 'the text goes with the first file only');
});

test('uploads of small files go one after the other', async () => {
  const it = await ready();
  it.send('a', 'b', 'c');
  assert.deepEqual(it.shown(), ['a sending', 'b waiting', 'c waiting']);
  for (const id of [10, 11, 12]) await it.requests.all.at(-1).answer(201, message(id));
  assert.deepEqual(it.requests.names, ['a', 'b', 'c']);
  assert.deepEqual([it.shown(), it.confirmed, it.own.areUploading()], [[], [10, 11, 12], false]);
});

test('upload of a large file sets out once the one before is nearly there', async () => {
  const it = await ready();
  it.own.enqueueFiles(1, [file('a', 40 * MB), file('b', 40 * MB), file('c', 40 * MB)]);
  const [first] = it.requests.all;
  first.progress(20 * MB, 40 * MB);
  assert.deepEqual(it.requests.names, ['a'], 'half of it is left');
  first.progress(21 * MB, 40 * MB);
  assert.deepEqual(it.requests.names, ['a', 'b']);
  it.requests.all[1].progress(40 * MB, 40 * MB);
  first.progress(40 * MB, 40 * MB);
  assert.deepEqual(it.requests.names, ['a', 'b'], 'never more than two at once');
  await first.answer(201, message(10));
  assert.deepEqual(it.requests.names, ['a', 'b', 'c']);
});

test('uploads to two rooms do not wait for each other', async () => {
  const it = await ready();
  it.own.enqueueFiles(1, [file('a'), file('b')]);
  it.own.enqueueFiles(2, [file('c'), file('d')]);
  assert.deepEqual(it.requests.names, ['a', 'c']);
});

test('failed upload holds up nothing, and is sent again when asked', async () => {
  const it = await ready();
  it.send('a', 'b');
  await it.requests.all[0].answer(422, { detail: 'content is odd', code: 'invalid' });
  assert.deepEqual(it.shown(), ['a failed', 'b sending']);
  assert.deepEqual(it.why(), ['content is odd', '']);
  await it.requests.all[1].answer(201, message(11));
  const [{ id }] = it.own.uploadsIn(1);
  it.own.retryUpload(id);
  assert.equal(it.requests.all[2].form.get('client_message_id'), id, 'the same id makes a second try safe');
});

test('upload that is too large says the limit that the server gives', async () => {
  for (const [limit, words] of [[100 * MB, '100 MB'], [5 * 1024 * MB, '5 GB'], [1536 * 1024, '1.5 MB']]) {
    const it = await ready();
    it.send('a');
    await it.requests.all[0].answer(413, { detail: 'A file may have at most 7 MB.', code: 'too_large', limit });
    assert.deepEqual(it.why(), [`It is too large: a file may have ${words} at most.`]);
  }
});

test('upload that a proxy refuses as too large is refused without a number', async () => {
  const it = await ready();
  it.send('a');
  await it.requests.all[0].answer(413, '<html>413 Request Entity Too Large, 1 MB</html>');
  assert.deepEqual(it.why(), ['It is too large for this server.']);
});

test('upload waits as long as a busy server says, and keeps its place', async () => {
  const it = await ready();
  it.send('a', 'b');
  await it.requests.all[0].answer(429, { detail: 'Later.', code: 'rate_limited', retry_after_ms: 1700 });
  assert.deepEqual(it.shown(), ['a waiting', 'b waiting']);
  await it.clock.pass(1699);
  assert.deepEqual(it.requests.names, ['a']);
  await it.clock.pass(1);
  assert.deepEqual(it.requests.names, ['a', 'a']);
});

test('upload waits longer each time where the server says nothing, and not for ever', async () => {
  const it = await ready();
  it.send('a');
  for (const wait of [1000, 2000, 3000, 4000, 5000, 6000]) {
    await it.requests.all.at(-1).answer(503, { detail: 'Busy.', code: 'overloaded' });
    const sent = it.requests.all.length;
    await it.clock.pass(wait - 1);
    assert.equal(it.requests.all.length, sent, `${wait} ms`);
    await it.clock.pass(1);
    assert.equal(it.requests.all.length, sent + 1, `${wait} ms`);
  }
  await it.requests.all.at(-1).answer(503, { detail: 'Busy.', code: 'overloaded' });
  assert.deepEqual([it.shown(), it.why()], [['a failed'], ['The server is busy. Try again in a moment.']]);
});

test('upload goes without its quote when that was deleted', async () => {
  const it = await ready();
  it.own.enqueueFiles(1, [file('a')], { content: 'look', replyTo: 7 });
  await it.requests.all[0].answer(422, { detail: 'reply_to_id is not there', code: 'invalid', fields: { reply_to_id: ['is not there'] } });
  await it.clock.pass(1000);
  assert.deepEqual([...it.requests.all[1].form.keys()], ['content', 'client_message_id', 'file']);
});

test('upload that lost its connection goes on by itself when that is back', async () => {
  const it = await ready();
  it.send('a', 'b');
  await it.requests.all[0].fail();
  await it.requests.all[1].fail();
  assert.deepEqual(it.shown(), ['a failed', 'b failed']);
  assert.deepEqual(it.why(), ['The connection was lost on the way.', 'The connection was lost on the way.']);
  await it.happens('online');
  assert.deepEqual(it.shown(), ['a sending', 'b waiting']);
});

test('upload that was refused stays so when a connection is back', async () => {
  const it = await ready();
  it.send('a');
  await it.requests.all[0].answer(404, { detail: 'There is no such thing.', code: 'not_found' });
  await it.happens('online');
  assert.deepEqual([it.shown(), it.why()], [['a failed'], ['You are no longer in this room.']]);
});

test('upload without a connection says so', async () => {
  const it = await ready();
  it.send('a');
  navigator.onLine = false;
  await it.requests.all[0].fail();
  assert.deepEqual(it.why(), ['No connection. It goes out when it is back.']);
});

test('upload whose answer was lost is done when the room\'s events have it', async () => {
  const it = await ready();
  it.send('a', 'b');
  const [{ id }] = it.own.uploadsIn(1);
  await it.sockets.newest.says({ type: 'message.created', seq: 101, message: message(10, { client_message_id: id }) });
  assert.deepEqual(it.shown(), ['b sending']);
  await it.requests.all[0].fail();
  assert.deepEqual(it.shown(), ['b sending'], 'a late failure changes nothing');
});

test('cancelled upload is aborted, and the next sets out', async () => {
  const it = await ready();
  it.send('a', 'b');
  const [{ id }] = it.own.uploadsIn(1);
  it.own.cancelUpload(id);
  assert.equal(it.requests.all[0].isAborted, true);
  assert.deepEqual(it.shown(), ['b sending']);
});

test('cancelled upload is not tried again by a timer', async () => {
  const it = await ready();
  it.send('a');
  await it.requests.all[0].answer(503, { detail: 'Busy.', code: 'overloaded', retry_after_ms: 500 });
  it.own.cancelUpload(it.own.uploadsIn(1)[0].id);
  await it.clock.pass(60000);
  assert.deepEqual(it.requests.names, ['a']);
});

test('sign-out stops all uploads', async () => {
  const it = await ready();
  it.send('a', 'b');
  it.own.dropUploads();
  assert.deepEqual([it.requests.all[0].isAborted, it.shown(), it.own.areUploading()], [true, [], false]);
});

test('page that is left with files on their way asks first', async () => {
  const it = await ready();
  it.send('a');
  assert.equal((await it.happens('beforeunload')).defaultPrevented, true);
  await it.requests.all[0].answer(201, message(10));
  assert.equal((await it.happens('beforeunload')).defaultPrevented, false);
});

test('picture has a preview until it is sent, other files have none', async () => {
  const it = await ready();
  it.own.enqueueFiles(1, [file('a.png', 1000, 'image/png'), file('b.svg', 1000, 'image/svg+xml')]);
  const [picture, other] = it.own.uploadsIn(1);
  assert.match(picture.preview_url, /^blob:/);
  assert.equal(other.preview_url, null);
});

test('file that something in front of the server answered stays, with its words (F1)', async () => {
  for (const [status, body] of [[200, '<!doctype html><title>Sign in</title>'], [201, { ok: true }], [302, '<p>Found</p>'], [404, '<h1>Not here</h1>']]) {
    const it = await signedIn();
    const uploads = await it.load('uploads');
    uploads.enqueueFiles(1, [new File(['x'], 'plan.txt')], { content: 'the plan' });
    await it.uploads.all[0].answer(status, body);
    const [item] = uploads.uploadsIn(1);
    assert.deepEqual([item.name, item.content, item.status], ['plan.txt', 'the plan', 'failed'], String(status));
    assert.match(item.why, /^Something in front of the server answered in its place/);
    uploads.retryUpload(item.id);
    await it.uploads.all[1].answer(201, message(110));
    assert.deepEqual(uploads.uploadsIn(1), []);
  }
});
