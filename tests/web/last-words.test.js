import assert from 'node:assert/strict';
import test from 'node:test';

import { message, room, session, settled, signedIn } from './page.js';

const direct = (id, more = {}) => room(id, { kind: 'direct', name: null, member_ids: [1, id], member_count: 2, ...more });
const said = (id, words, more = {}) => message(id, { content: words, html: `<p>${words}</p>`, ...more });

async function ready(rooms) {
  const it = await signedIn({ session: session({ rooms }) });
  const { lastWords } = await it.load('last-words');
  return { ...it, last: (id) => lastWords(it.state.rooms.get(id))?.html };
}

test('last words are asked for once, when they are shown', async () => {
  const it = await ready([direct(2, { last_message_id: 7 }), direct(3, { last_message_id: 8 }), direct(4, { last_message_id: 9 }), direct(5)]);
  for (const id of [2, 3, 4, 5, 2]) it.last(id);
  assert.deepEqual(it.server.waiting, ['GET /api/messages/7', 'GET /api/messages/8']);
  await it.server.asked('GET', '/api/messages/7').answer(200, said(7, 'hi', { room_id: 2 }));
  assert.deepEqual(it.server.waiting, ['GET /api/messages/8', 'GET /api/messages/9']);
  await it.server.asked('GET', '/api/messages/8').answer(404, { code: 'not_found', detail: 'gone' });
  await it.server.asked('GET', '/api/messages/9').fail();
  assert.deepEqual(it.server.waiting, ['GET /api/rooms/3']);
  await it.server.asked('GET', '/api/rooms/3').answer(200, direct(3, { last_message_id: null }));
  for (const id of [2, 3, 4, 5]) it.last(id);
  assert.deepEqual(it.server.waiting, []);
  await it.clock.pass(31000);
  it.last(4);
  assert.ok(it.server.waiting.includes('GET /api/messages/9'));
});

test('last words follow what comes, is edited and is deleted', async () => {
  const it = await ready([direct(2, { last_message_id: 7 })]);
  it.live.join(2, 100);
  await it.sockets.newest.says({ type: 'joined', room_id: 2, seq: 100, present: [] });
  await it.sockets.newest.says({ type: 'message.created', seq: 101, message: said(101, 'new', { room_id: 2 }) });
  const words = () => it.last(2);
  assert.equal(words(), '<p>new</p>');
  await it.sockets.newest.says({ type: 'message.updated', seq: 102, message: said(101, 'newer', { room_id: 2 }) });
  assert.equal(words(), '<p>newer</p>');
  assert.deepEqual(it.server.waiting, []);
  await it.sockets.newest.says({ type: 'message.deleted', seq: 103, room_id: 2, message_id: 101, mentions: [], everyone: false });
  it.state.rooms.get(2).last_message_id = 7;
  assert.equal(words(), undefined);
  assert.deepEqual(it.server.waiting, ['GET /api/messages/7']);
});

test('words that were edited or deleted elsewhere are found out when the page is looked at', async () => {
  const it = await ready([direct(2, { last_message_id: 7 }), direct(3, { last_message_id: 8 })]);
  it.last(2);
  it.last(3);
  await it.server.asked('GET', '/api/messages/7').answer(200, said(7, 'hi', { room_id: 2 }));
  await it.server.asked('GET', '/api/messages/8').answer(200, said(8, 'ho', { room_id: 3 }));
  await it.shows('visible');
  it.last(2);
  assert.deepEqual(it.server.waiting, []);
  await it.clock.pass(11000);
  await it.shows('visible');
  assert.equal(it.last(2), '<p>hi</p>');
  assert.equal(it.last(3), '<p>ho</p>');
  await it.server.asked('GET', '/api/messages/7').answer(200, said(7, 'hi there', { room_id: 2 }));
  assert.equal(it.last(2), '<p>hi there</p>');
  await it.server.asked('GET', '/api/messages/8').answer(404, { code: 'not_found', detail: 'gone' });
  assert.equal(it.state.rooms.get(3).last_message_id, 8);
  await it.server.asked('GET', '/api/rooms/3').answer(200, direct(3, { last_message_id: null }));
  assert.equal(it.last(3), undefined);
  assert.deepEqual(it.server.waiting, []);
});

test('answer that is late does not take the place of newer words', async () => {
  const it = await ready([direct(2, { last_message_id: 7 })]);
  it.last(2);
  await it.sockets.newest.says({ type: 'unread', room_id: 2, message_id: 120, mention: false });
  it.last(2);
  await it.server.asked('GET', '/api/messages/120').answer(200, said(120, 'later', { room_id: 2 }));
  await it.server.asked('GET', '/api/messages/7').answer(200, said(7, 'early', { room_id: 2 }));
  await settled();
  assert.equal(it.last(2), '<p>later</p>');
});
