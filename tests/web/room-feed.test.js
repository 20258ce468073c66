import assert from 'node:assert/strict';
import test from 'node:test';

import { message, room, session, signedIn } from './page.js';
import { View, partsOf } from './view.js';

const PAGE = '/api/rooms/1/messages';
const pageOf = (ids, more = {}) => ({ messages: ids.map((id) => message(id)), has_before: false, has_after: false, ...more });
const created = (id, more = {}) => ({ type: 'message.created', seq: id, message: message(id, more) });

/** A page on which room 1 is open, with messages 101 and 102, joined and at its end. */
async function ready(options = {}) {
  const it = await signedIn({ session: session({ rooms: [room(1), room(2)] }), ...options });
  const parts = await partsOf(it);
  const view = new View(parts, 1);
  it.live.listen((event) => view.feed.heard(event));
  view.open();
  const [socket] = it.sockets.all;
  await socket.says({ type: 'joined', room_id: 1, seq: 102, present: [1] });
  await it.server.asked('GET', PAGE).answer(200, pageOf([101, 102]));
  await it.clock.pass(300);
  const counts = () => [it.state.rooms.get(1).membership.unread_count, it.state.rooms.get(1).membership.mention_count];
  return { ...it, parts, view, socket, counts, ids: () => view.timeline.all.map(({ id }) => id) };
}

test('event that nobody has seen when the room is left is unread, and comes again on return (B5)', async () => {
  const it = await ready();
  await it.socket.says(created(103, { mentions: [1] }));
  // The next frame, which would have shown it, does not come.
  it.view.close();
  assert.deepEqual(it.counts(), [1, 1]);
  assert.equal(it.parts.memory.get(1).seq, 102);
});

test('message that was deleted while its page was on the way is not shown (B5)', async () => {
  const it = await ready();
  it.view.timeline.hasBefore = true;
  const before = it.view.page();
  await it.socket.says({ type: 'message.deleted', seq: 103, room_id: 1, message_id: 91, mentions: [], everyone: false }, { type: 'message.updated', seq: 104, message: message(92, { content: 'edited' }) },
    { type: 'boost.created', seq: 105, room_id: 1, message_id: 93, boost: { id: 105, user_id: 2, content: '👍' } });
  await it.clock.pass(16);
  await it.server.asked('GET', `${PAGE}?before=101`).answer(200, pageOf([91, 92, 93]));
  await before;
  assert.deepEqual(it.ids(), [92, 93, 101, 102]);
  assert.deepEqual([it.view.timeline.all[0].content, it.view.timeline.all[1].boosts.length], ['edited', 1]);
});

test('answer to a post does not bring back a message that was deleted meanwhile (B5)', async () => {
  const it = await ready();
  await it.socket.says(created(103, { creator_id: 1 }), { type: 'message.deleted', seq: 104, room_id: 1, message_id: 103, mentions: [], everyone: false });
  await it.clock.pass(16);
  it.view.add(message(103, { creator_id: 1 }));
  assert.deepEqual(it.ids(), [101, 102]);
});

test('page that the service worker kept is loaded anew, and not remembered as it is (B5)', async () => {
  const it = await signedIn();
  const parts = await partsOf(it);
  const view = new View(parts, 1);
  it.live.listen((event) => view.feed.heard(event));
  view.open();
  await it.server.asked('GET', PAGE).answer(200, { ...pageOf([51]), is_kept: true });
  await it.server.asked('GET', `${PAGE}?fresh`).fail();
  view.close();
  assert.equal(parts.memory.has(1), false);
  const again = new View(parts, 1);
  it.live.listen((event) => again.feed.heard(event));
  again.open();
  await it.server.asked('GET', PAGE).answer(200, { ...pageOf([51]), is_kept: true });
  await it.server.asked('GET', `${PAGE}?fresh`).answer(200, pageOf([51, 99]));
  assert.deepEqual(again.timeline.all.map(({ id }) => id), [51, 99]);
});

test('room that cannot be caught up is loaded anew where one was reading (B5)', async () => {
  const it = await ready();
  it.view.scroll(false);
  const { place } = it.view.timeline;
  await it.socket.says({ type: 'joined', room_id: 1, seq: 900, present: [] }, { type: 'resync', seq: 900 });
  await it.server.asked('GET', `${PAGE}?around=${place.id}`).answer(503, { code: 'overloaded', detail: 'Later.', retry_after_ms: 500 });
  await it.clock.pass(500);
  await it.socket.says(created(901));
  await it.server.asked('GET', `${PAGE}?around=${place.id}`).answer(200, pageOf([101, 103]));
  await it.clock.pass(16);
  assert.deepEqual(it.ids(), [101, 103, 901]);
  assert.deepEqual(it.view.timeline.place, place);
});

test('room of another history is shown anew, with nothing of the old one (B12)', async () => {
  const it = await ready();
  it.view.feed.noteGone(103);
  it.view.feed.heard({ type: 'afresh', isOther: true });
  await it.server.asked('GET', `${PAGE}?fresh`).answer(200, pageOf([41, 103]));
  assert.deepEqual(it.ids(), [41, 103]);
  assert.equal(it.view.feed.gone.size, 0);
});

test('counts follow deletions and edits in the room that is shown but not seen (F5)', async () => {
  const it = await ready();
  it.document.visibilityState = 'hidden';
  await it.socket.says(created(103, { mentions: [1] }), created(104), created(105, { everyone: true }));
  await it.clock.pass(0);
  assert.deepEqual(it.counts(), [3, 2]);
  await it.socket.says({ type: 'message.deleted', seq: 106, room_id: 1, message_id: 103, mentions: [1], everyone: false }, { type: 'message.updated', seq: 107, message: message(105) }, { type: 'message.updated', seq: 108, message: message(104, { mentions: [1] }) });
  await it.clock.pass(0);
  assert.deepEqual(it.counts(), [2, 1]);
});

test('room is read at its end though its newest message was deleted while older ones were shown (B5)', async () => {
  const it = await ready();
  Object.assign(it.view.timeline, { hasAfter: true, isAtEnd: false });
  await it.socket.says(created(103), created(104));
  await it.clock.pass(16);
  await it.socket.says({ type: 'message.deleted', seq: 105, room_id: 1, message_id: 104, mentions: [], everyone: false });
  await it.clock.pass(16);
  const membership = { involvement: 'mentions', unread_count: 1, mention_count: 0, last_read_message_id: 102 };
  await it.server.asked('GET', '/api/rooms/1').answer(200, room(1, { last_message_id: 103, membership }));
  it.view.timeline.reset(pageOf([101, 102, 103]));
  it.view.scroll(true);
  await it.clock.pass(200);
  assert.deepEqual(it.counts(), [0, 0]);
  assert.deepEqual(it.socket.said('read').at(-1), { type: 'read', room_id: 1, message_id: 103 });
});

test('deleted message that was not the newest has no room asked for', async () => {
  const it = await ready();
  Object.assign(it.view.timeline, { hasAfter: true, isAtEnd: false });
  await it.socket.says(created(103), created(104), { type: 'message.deleted', seq: 105, room_id: 1, message_id: 103, mentions: [], everyone: false });
  await it.clock.pass(16);
  assert.deepEqual(it.server.waiting, []);
});
