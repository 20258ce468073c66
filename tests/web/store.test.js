import assert from 'node:assert/strict';
import test from 'node:test';

import { message, page, room, session, settled, signedIn, user } from './page.js';

const membership = (more = {}) => ({ involvement: 'mentions', unread_count: 0, mention_count: 0, last_read_message_id: null, ...more });

/** A store with a session in it. */
async function begun(more = {}) {
  const it = page();
  const store = await it.load('store');
  store.begin(session({ seq: 5, ...more }));
  await settled();
  return { ...it, store, state: store.state, counts: (id = 1) => {
    const { unread_count: unread, mention_count: mentions } = store.state.rooms.get(id).membership;
    return [unread, mentions];
  } };
}

test('watchers are told once for all changes of a turn, with what changed', async () => {
  const { store } = await begun();
  const told = [];
  store.watch(['rooms', 'users'], (topics) => told.push(topics));
  store.changed('rooms');
  store.changed('users', 'rooms');
  store.changed('typing');
  await settled();
  assert.deepEqual(told, [['rooms', 'users', 'typing']]);
  store.changed('typing');
  await settled();
  assert.equal(told.length, 1, 'of other topics it is not told');
});

test('change that a watcher makes is told in a turn of its own', async () => {
  const { store } = await begun();
  const told = [];
  store.watch(['rooms'], () => store.changed('users'));
  store.watch(['users'], (topics) => told.push(topics));
  store.changed('rooms');
  await settled();
  assert.deepEqual(told, [['users']]);
});

test('watcher that has stopped is told nothing', async () => {
  const { store } = await begun();
  const stop = store.watch(['rooms'], () => assert.fail('it has stopped'));
  stop();
  store.changed('rooms');
  await settled();
});

test('session brings people, rooms, who is online and the limits', async () => {
  const { state } = await begun({ online: [1, 3], limits: { upload_limit: 5, content_limit: 7 } });
  assert.equal(state.me.name, 'Ada');
  assert.deepEqual([...state.users.keys()], [1, 2, 3]);
  assert.deepEqual([...state.online], [1, 3]);
  assert.deepEqual(state.limits, { upload_limit: 5, content_limit: 7 });
});

test('later session drops what is gone and never sets the events back', async () => {
  const { store, state } = await begun({ rooms: [room(1), room(2)], seq: 100 });
  store.begin(session({ rooms: [room(2)], users: [user(1, 'Ada')], seq: 90 }));
  assert.deepEqual([...state.rooms.keys()], [2]);
  assert.deepEqual([...state.users.keys()], [1]);
  assert.equal(state.seq, 100);
});

test('unread message is counted, and a mention twice over', async () => {
  const { store, counts } = await begun();
  store.addUnread(1, 10, false);
  store.addUnread(1, 11, true);
  assert.deepEqual(counts(), [2, 1]);
});

test('unread message is counted once, however often it is told', async () => {
  const { store, counts } = await begun();
  store.addUnread(1, 10, true);
  store.addUnread(1, 10, true);
  store.addUnread(1, 9, true);
  assert.deepEqual(counts(), [1, 1]);
});

test('unread message that the session has counted is not counted again', async () => {
  const { store, counts } = await begun({ seq: 12, rooms: [room(1, { last_message_id: 12, membership: membership({ unread_count: 3 }) })] });
  store.addUnread(1, 12, false);
  assert.deepEqual(counts(), [3, 0]);
  store.addUnread(1, 13, false);
  assert.deepEqual(counts(), [4, 0]);
});

test('unread message that was told while the page was hidden is not counted again in its room', async () => {
  const it = await signedIn();
  const [socket] = it.sockets.all;
  it.live.join(1, 100);
  const unread = () => it.state.rooms.get(1).membership.unread_count;
  await socket.says({ type: 'unread', room_id: 1, message_id: 101, mention: false });
  // The room is joined again, and its events are played again.
  await socket.says({ type: 'joined', room_id: 1, seq: 101, present: [] }, { type: 'message.created', seq: 101, message: message(101) });
  it.store.addUnread(1, 101, false);
  assert.equal(unread(), 1);
  // The newest message being known does not mean that it is counted.
  await socket.says({ type: 'message.created', seq: 102, message: message(102) });
  it.store.addUnread(1, 102, false);
  assert.equal(unread(), 2);
});

test('message of a room that was just left is unread, or unread no more (B5)', async () => {
  const it = await signedIn({ session: session({ rooms: [room(1), room(2)] }) });
  const [socket] = it.sockets.all;
  it.live.join(1, 100);
  await socket.says({ type: 'joined', room_id: 1, seq: 100, present: [] });
  it.live.join(2, 100);
  const counts = () => [it.state.rooms.get(1).membership.unread_count, it.state.rooms.get(1).membership.mention_count];
  await socket.says({ type: 'message.created', seq: 101, message: message(101) }, { type: 'message.created', seq: 102, message: message(102, { mentions: [1] }) });
  assert.deepEqual(counts(), [2, 1]);
  await socket.says({ type: 'message.deleted', seq: 103, room_id: 1, message_id: 102, mentions: [1], everyone: false });
  assert.deepEqual(counts(), [1, 0]);
});

test('counts follow a deletion and an edit (F5)', async () => {
  const it = await signedIn({ session: session({ rooms: [room(1, { last_message_id: 99, membership: membership({ unread_count: 3, mention_count: 2, last_read_message_id: 90 }) })] }) });
  const [socket] = it.sockets.all;
  const counts = () => [it.state.rooms.get(1).membership.unread_count, it.state.rooms.get(1).membership.mention_count];
  await socket.says({ type: 'unread_changed', room_id: 1, message_id: 95, unread: -1, mentions: -1 });
  assert.deepEqual(counts(), [2, 1]);
  await socket.says({ type: 'unread_changed', room_id: 1, message_id: 97, unread: 0, mentions: -1 }, { type: 'unread_changed', room_id: 1, message_id: 98, unread: 0, mentions: 1 });
  assert.deepEqual(counts(), [2, 1]);
  await socket.says({ type: 'unread_changed', room_id: 1, message_id: 88, unread: -1, mentions: -1 });
  assert.deepEqual(counts(), [2, 1], 'that one was read');
});

test('counts that are at their bound are asked for when a message is deleted (F5)', async () => {
  const it = await signedIn({ session: session({ rooms: [room(1, { membership: membership({ unread_count: 1000 }) })] }) });
  await it.sockets.newest.says({ type: 'unread_changed', room_id: 1, message_id: 95, unread: -1, mentions: 0 });
  await it.server.asked('GET', '/api/rooms/1').answer(200, room(1, { membership: membership({ unread_count: 1000 }) }));
  it.store.addUnread(1, 101, false);
  assert.equal(it.state.rooms.get(1).membership.unread_count, 1000);
});

test('hidden room counts nothing, as the server counts nothing of it (F5)', async () => {
  const { store, counts } = await begun({ rooms: [room(1, { membership: membership({ involvement: 'invisible' }) })] });
  store.addUnread(1, 10, true);
  assert.deepEqual(counts(), [0, 0]);
});

test('room that could not be asked for is asked for again (B5)', async () => {
  const { store, server, counts, clock } = await begun({ rooms: [room(1, { last_message_id: 12, membership: membership({ unread_count: 3, last_read_message_id: 9 }) })] });
  store.readUpTo(1, 10);
  await server.asked('GET', '/api/rooms/1').fail();
  await clock.pass(3000);
  await server.asked('GET', '/api/rooms/1').answer(200, room(1, { last_message_id: 12, membership: membership({ unread_count: 2, last_read_message_id: 10 }) }));
  assert.deepEqual(counts(), [2, 0]);
});

test('answer that an event about its room has overtaken is asked for again (B5)', async () => {
  const { store, state, server } = await begun();
  store.fetchRoom(1);
  store.putRoom({ ...room(1, { name: 'Renamed' }), membership: undefined }, 7);
  await server.asked('GET', '/api/rooms/1').answer(200, room(1));
  assert.equal(state.rooms.get(1).name, 'Renamed');
  await server.asked('GET', '/api/rooms/1').answer(200, room(1, { name: 'Renamed' }));
  assert.deepEqual(server.waiting, []);
});

test('message that was read on another device is not unread', async () => {
  const { store, counts } = await begun({ rooms: [room(1, { last_message_id: 9, membership: membership({ last_read_message_id: 20 }) })] });
  store.addUnread(1, 15, true);
  assert.deepEqual(counts(), [0, 0]);
});

test('room that is unknown counts nothing', async () => {
  const { store, state } = await begun();
  store.addUnread(99, 15, true);
  store.readUpTo(99, 15);
  store.sawMessage(99, 15);
  assert.deepEqual([...state.rooms.keys()], [1]);
});

test('reading the newest message reads all', async () => {
  const { store, state, counts, server } = await begun({ rooms: [room(1, { last_message_id: 12, membership: membership({ unread_count: 3, mention_count: 1, last_read_message_id: 9 }) })] });
  store.readUpTo(1, 12);
  assert.deepEqual(counts(), [0, 0]);
  assert.equal(state.rooms.get(1).membership.last_read_message_id, 12);
  assert.deepEqual(server.waiting, []);
});

test('reading a part asks the server how many are left', async () => {
  const { store, state, server, counts } = await begun({ rooms: [room(1, { last_message_id: 12, membership: membership({ unread_count: 3, last_read_message_id: 9 }) })] });
  store.readUpTo(1, 10);
  assert.equal(state.rooms.get(1).membership.last_read_message_id, 10);
  await server.asked('GET', '/api/rooms/1').answer(200, room(1, { last_message_id: 12, membership: membership({ unread_count: 2, last_read_message_id: 10 }) }));
  assert.deepEqual(counts(), [2, 0]);
});

test('mark of what was read never goes back', async () => {
  const { store, state, server } = await begun({ rooms: [room(1, { last_message_id: 12, membership: membership({ last_read_message_id: 12 }) })] });
  store.readUpTo(1, 5);
  assert.equal(state.rooms.get(1).membership.last_read_message_id, 12);
  assert.deepEqual(server.waiting, []);
});

test('room keeps my membership where an event does not tell it', async () => {
  const { store, state } = await begun({ rooms: [room(1, { membership: membership({ involvement: 'everything', unread_count: 4 }) })] });
  store.putRoom({ ...room(1, { name: 'Renamed' }), membership: undefined });
  assert.equal(state.rooms.get(1).name, 'Renamed');
  assert.deepEqual(state.rooms.get(1).membership, membership({ involvement: 'everything', unread_count: 4 }));
});

test('room that is new is asked for, since only the server knows my membership', async () => {
  const { store, state, server } = await begun();
  store.putRoom({ ...room(5), membership: undefined });
  assert.ok(!state.rooms.has(5));
  await server.asked('GET', '/api/rooms/5').answer(200, room(5));
  assert.ok(state.rooms.has(5));
});

test('room that is not mine any more is dropped, one that could not be asked for stays', async () => {
  const { store, state, server } = await begun({ rooms: [room(1), room(2)] });
  store.fetchRoom(1);
  await server.asked('GET', '/api/rooms/1').answer(404, { detail: 'There is no such thing.', code: 'not_found' });
  store.fetchRoom(2);
  await server.asked('GET', '/api/rooms/2').fail();
  assert.deepEqual([...state.rooms.keys()], [2]);
});

test('person who is unknown is asked for once and then known', async () => {
  const { store, server } = await begun();
  assert.equal(store.person(8).name, '…');
  store.person(8);
  assert.deepEqual(server.waiting, ['GET /api/users/8']);
  await server.asked('GET', '/api/users/8').answer(200, user(8, 'Hedy'));
  assert.equal(store.person(8).name, 'Hedy');
});

test('person is asked for again after a failed connection, and never again if there is no such person', async () => {
  const { store, server } = await begun();
  store.person(8);
  await server.asked('GET', '/api/users/8').fail();
  store.person(8);
  await server.asked('GET', '/api/users/8').answer(404, { detail: 'There is no such thing.', code: 'not_found' });
  store.person(8);
  assert.deepEqual(server.waiting, []);
});

test('person who joins or leaves changes the size of open rooms only', async () => {
  const { store, state } = await begun({ rooms: [room(1), room(2, { kind: 'closed' })] });
  const sizes = () => [1, 2].map((id) => state.rooms.get(id).member_count);
  store.putUser(user(9, 'Ida'));
  assert.deepEqual(sizes(), [4, 3]);
  store.putUser(user(9, 'Ida B.'));
  assert.deepEqual(sizes(), [4, 3], 'a new name is no new person');
  store.putUser(user(9, 'Ida B.', { status: 'deactivated' }));
  assert.deepEqual(sizes(), [3, 3]);
});

test('own profile changes with the event, and keeps what is not told to everybody', async () => {
  const { store, state } = await begun({ user: user(1, 'Ada', { email: 'ada@camp.example' }) });
  store.putUser(user(1, 'Ada L.', { initials: 'AL' }));
  assert.deepEqual([state.me.name, state.me.initials, state.me.email], ['Ada L.', 'AL', 'ada@camp.example']);
});

test('direct room is called by the others, and by oneself when one is alone', async () => {
  const { store, state } = await begun({ rooms: [room(2, { kind: 'direct', name: null, member_ids: [1, 2, 3] }), room(3, { kind: 'direct', name: null, member_ids: [1] })] });
  assert.equal(store.roomName(state.rooms.get(2)), 'Ben, Cleo');
  assert.equal(store.roomName(state.rooms.get(3)), 'Ada');
});

test('presence tells its watchers only of changes', async () => {
  const { store } = await begun();
  let told = 0;
  store.watch(['presence', 'present'], () => { told += 1; });
  store.setOnline(1, true);
  store.putPresent(1, 2, false);
  await settled();
  assert.equal(told, 0);
  store.setOnline(2, true);
  store.putPresent(1, 2, true);
  await settled();
  assert.equal(told, 1);
});

test('typing is told when it begins and ends, not while it goes on', async () => {
  const { store, state, clock } = await begun();
  let told = 0;
  store.watch(['typing'], () => { told += 1; });
  store.putTyping(1, 2, true);
  await clock.pass(3000);
  store.putTyping(1, 2, true);
  await clock.pass(4999);
  assert.equal(told, 1);
  assert.ok(state.typing.get(1).has(2), 'the second word has begun the five seconds anew');
  await clock.pass(1);
  assert.equal(told, 2);
  assert.ok(!state.typing.get(1).has(2));
});
