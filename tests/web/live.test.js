import assert from 'node:assert/strict';
import test from 'node:test';

import { caughtUp, message, page, room, session, signedIn, user } from './page.js';

const HELLO = { type: 'hello', user_id: 1, seq: 100, heartbeat_s: 30 };
const ME = 'GET /api/users/1';
const SYNC = '/api/sync?since=100&with=rooms';

/** Answers the question whether one is still signed in, as it comes before each new socket. */
const stillSignedIn = ({ server }) => server.asked('GET', '/api/users/1').answer(200, user(1, 'Ada'));

const heard = (live) => {
  const events = [];
  live.listen((event) => events.push(event.type));
  return events;
};

test('socket speaks JSON to the host of the page', async () => {
  const { sockets } = await signedIn();
  assert.equal(sockets.newest.url, 'ws://camp.example/ws');
  assert.equal(sockets.newest.protocol, 'campfire.json');
});

test('reconnection asks who is signed in before it opens a socket', async () => {
  const it = await signedIn();
  await it.sockets.newest.ends();
  assert.equal(it.state.connected, false);
  assert.equal(it.socket.isOpen(), false);
  await it.clock.pass(500);
  assert.deepEqual(it.server.waiting, [ME]);
  assert.equal(it.sockets.all.length, 1);
  await stillSignedIn(it);
  assert.equal(it.sockets.all.length, 2);
});

test('reconnection waits twice as long after each failure, up to a bound', async () => {
  const it = await signedIn();
  await it.sockets.newest.ends();
  for (const wait of [500, 1000, 2000, 4000, 8000, 15000, 15000]) {
    await it.clock.pass(wait - 1);
    assert.deepEqual(it.server.waiting, [], `before ${wait} ms`);
    await it.clock.pass(1);
    assert.deepEqual(it.server.waiting, [ME], `after ${wait} ms`);
    await it.server.asked('GET', '/api/users/1').fail();
  }
});

test('reconnection spreads clients between half and one and a half of the wait', async () => {
  for (const [random, wait] of [[0, 250], [0.999999, 750]]) {
    const it = await signedIn();
    Math.random = () => random;
    await it.sockets.newest.ends();
    await it.clock.pass(wait - 1);
    assert.deepEqual(it.server.waiting, []);
    await it.clock.pass(1);
    assert.deepEqual(it.server.waiting, [ME]);
  }
});

test('reconnection starts from the shortest wait again after a hello', async () => {
  const it = await signedIn();
  await it.sockets.newest.ends();
  await it.clock.pass(500);
  await it.server.asked('GET', '/api/users/1').fail();
  await it.clock.pass(1000);
  await stillSignedIn(it);
  await it.sockets.newest.says(HELLO);
  await it.server.asked('GET', SYNC).answer(200, caughtUp(session()));
  await it.sockets.newest.ends();
  await it.clock.pass(500);
  assert.deepEqual(it.server.waiting, [ME]);
});

test('close frame of a server that goes away says when to come back', async () => {
  const it = await signedIn();
  await it.sockets.newest.ends(1001, '{"reason":"going away","retry_after_ms":1240}');
  await it.clock.pass(1239);
  assert.deepEqual(it.server.waiting, []);
  await it.clock.pass(1);
  assert.deepEqual(it.server.waiting, [ME]);
});

test('close frame may ask to come back at once, and never later than the longest wait', async () => {
  const it = await signedIn();
  await it.sockets.newest.ends(1001, '{"retry_after_ms":0}');
  await it.clock.pass(0);
  assert.deepEqual(it.server.waiting, [ME]);
  const other = await signedIn();
  await other.sockets.newest.ends(1001, '{"retry_after_ms":3600000}');
  await other.clock.pass(15000);
  assert.deepEqual(other.server.waiting, [ME]);
});

test('close frame without a usable time leaves the wait to the page', async () => {
  for (const [code, reason] of [[1001, ''], [1001, 'going away; retry in 3000 ms'], [1001, '{"reason":"going away"}'], [1001, '{"retry_after_ms":"soon"}'], [1001, 'null'], [1006, '{"retry_after_ms":3000}']]) {
    const it = await signedIn();
    await it.sockets.newest.ends(code, reason);
    await it.clock.pass(499);
    assert.deepEqual(it.server.waiting, [], reason);
    await it.clock.pass(1);
    assert.deepEqual(it.server.waiting, [ME], reason);
  }
});

test('sign-out ends reconnection, whichever way it is told', async () => {
  for (const code of [4001, 4003]) {
    const it = await signedIn();
    const events = heard(it.live);
    await it.sockets.newest.ends(code);
    await it.clock.pass(60000);
    assert.deepEqual(events, ['signed_out']);
    assert.deepEqual(it.server.waiting, []);
  }
  const it = await signedIn();
  const events = heard(it.live);
  await it.sockets.newest.ends();
  await it.clock.pass(500);
  await it.server.asked('GET', '/api/users/1').answer(401, { detail: 'Sign in first.', code: 'not_signed_in' });
  await it.clock.pass(60000);
  assert.deepEqual(events, ['signed_out']);
  assert.deepEqual(it.server.waiting, []);
  assert.equal(it.sockets.all.length, 1);
});

test('stopped page opens no socket, not even one that was about to be opened', async () => {
  const it = await signedIn();
  await it.sockets.newest.ends();
  await it.clock.pass(500);
  it.socket.stop();
  await stillSignedIn(it);
  await it.clock.pass(60000);
  assert.equal(it.sockets.all.length, 1);
});

test('network that comes back is used at once', async () => {
  const it = await signedIn();
  await it.sockets.newest.ends();
  for (const wait of [500, 1000, 2000, 4000]) {
    await it.clock.pass(wait);
    await it.server.asked('GET', '/api/users/1').fail();
  }
  await it.happens('online');
  assert.deepEqual(it.server.waiting, [ME]);
});

test('hello is followed by what happened since the session, once more after each reconnection (B5)', async () => {
  const it = page();
  const { begin, state } = await it.load('store');
  const live = await it.load('live');
  begin(session());
  const events = heard(live);
  live.start();
  await it.sockets.newest.says({ ...HELLO, seq: 103 });
  assert.deepEqual(events, ['back'], 'the session is new: what waits may go out');
  const missed = [{ type: 'room.created', seq: 101, room: { ...room(7), membership: undefined } }, { type: 'user.updated', seq: 102, user: user(2, 'Benedict') }];
  await it.server.asked('GET', SYNC).answer(200, caughtUp(session({ rooms: [room(1), room(7)], seq: 103 }), missed));
  assert.deepEqual([...state.rooms.keys()], [1, 7]);
  assert.equal(state.users.get(2).name, 'Benedict');
  await it.sockets.newest.ends();
  await it.clock.pass(500);
  await stillSignedIn(it);
  await it.sockets.newest.says(HELLO);
  assert.equal(state.connected, true);
  assert.deepEqual(events, ['back'], 'nothing goes out before it is known what was missed');
  await it.server.asked('GET', '/api/sync?since=103&with=rooms').answer(200, caughtUp(session({ rooms: [room(1)], seq: 110 })));
  assert.deepEqual([...state.rooms.keys()], [1]);
  assert.equal(state.seq, 110);
  assert.deepEqual(events, ['back', 'back']);
});

test('events that come while an answer is under way follow it, and those that it has do not (B5)', async () => {
  const it = page();
  const { begin, state } = await it.load('store');
  const live = await it.load('live');
  begin(session({ rooms: [room(1), room(2)] }));
  live.start();
  await it.sockets.newest.says(HELLO,
    { type: 'user.updated', seq: 105, user: user(2, 'Benedict') }, { type: 'unread', room_id: 2, message_id: 106, mention: true },
    { type: 'user.updated', seq: 109, user: user(3, 'Cleopatra') }, { type: 'unread', room_id: 2, message_id: 110, mention: false });
  assert.equal(state.users.get(3).name, 'Cleo', 'they wait');
  const counts = { involvement: 'mentions', unread_count: 1, mention_count: 1, last_read_message_id: null };
  await it.server.asked('GET', SYNC).answer(200, caughtUp(session({ rooms: [room(1), room(2, { last_message_id: 106, membership: counts })], seq: 107 }), [{ type: 'user.updated', seq: 105, user: user(2, 'Benedict') }, { type: 'user.updated', seq: 107, user: user(2, 'Ben again') }]));
  assert.deepEqual([state.users.get(2).name, state.users.get(3).name], ['Ben again', 'Cleopatra']);
  assert.deepEqual([state.rooms.get(2).membership.unread_count, state.rooms.get(2).membership.mention_count], [2, 1]);
});

test('change of counts that may be in an answer or not has the room asked for again (B5)', async () => {
  const it = page();
  const { begin, state } = await it.load('store');
  const live = await it.load('live');
  begin(session());
  live.start();
  await it.sockets.newest.says(HELLO, { type: 'unread_changed', room_id: 1, message_id: 95, unread: -1, mentions: 0 });
  const counts = { involvement: 'mentions', unread_count: 3, mention_count: 0, last_read_message_id: 90 };
  await it.server.asked('GET', SYNC).answer(200, caughtUp(session({ rooms: [room(1, { last_message_id: 98, membership: counts })] })));
  assert.equal(state.rooms.get(1).membership.unread_count, 3);
  await it.server.asked('GET', '/api/rooms/1').answer(200, room(1, { last_message_id: 98, membership: { ...counts, unread_count: 2 } }));
  assert.equal(state.rooms.get(1).membership.unread_count, 2);
});

test('session is asked for where the missed events are too many, too old or incomplete (B5)', async () => {
  const answers = [
    async (it) => it.server.asked('GET', SYNC).answer(410, { detail: 'Too old.', code: 'gone' }),
    async (it) => it.server.asked('GET', SYNC).answer(200, { events: [], seq: 1100 }),
  ];
  for (const [seq, answer] of [[100, answers[0]], [100, answers[1]], [1101, () => {}]]) {
    const it = page();
    const { begin, state } = await it.load('store');
    const live = await it.load('live');
    begin(session());
    live.start();
    await it.sockets.newest.says({ ...HELLO, seq });
    await answer(it);
    await it.server.asked('GET', '/api/session?fresh').answer(200, session({ rooms: [room(9)], seq: 2000 }));
    assert.deepEqual([...state.rooms.keys()], [9]);
    assert.equal(state.seq, 2000);
  }
});

test('session that was kept offline is asked for again at the first hello', async () => {
  const it = page();
  const { begin, state } = await it.load('store');
  const live = await it.load('live');
  begin(session({ rooms: [] }));
  const events = heard(live);
  live.start({ behind: true });
  await it.sockets.newest.says(HELLO);
  await it.server.asked('GET', '/api/session?fresh').answer(200, { ...session(), is_kept: true });
  assert.deepEqual([...state.rooms.keys()], [], 'the service worker has answered, not the server');
  await it.clock.pass(3000);
  await it.server.asked('GET', '/api/session?fresh').answer(200, session());
  assert.deepEqual([...state.rooms.keys()], [1]);
  assert.deepEqual(events, ['back']);
});

test('answer that an overloaded server refuses is asked for again while the socket is open', async () => {
  const it = await signedIn();
  await it.sockets.newest.says({ type: 'resync', seq: 400 });
  await it.server.asked('GET', SYNC).answer(503, { detail: 'Try again soon.', code: 'overloaded', retry_after_ms: 1700 });
  await it.clock.pass(1699);
  assert.deepEqual(it.server.waiting, []);
  await it.clock.pass(1);
  await it.server.asked('GET', SYNC).answer(200, caughtUp(session({ rooms: [room(9)] })));
  assert.deepEqual([...it.state.rooms.keys()], [9]);
});

test('answer to an earlier connection is not taken', async () => {
  const it = await signedIn();
  await it.sockets.newest.says({ type: 'resync', seq: 400 });
  const [late] = it.server.requests;
  await it.sockets.newest.ends();
  await late.answer(200, caughtUp(session({ rooms: [room(9)] })));
  assert.deepEqual([...it.state.rooms.keys()], [1]);
});

test('other history is taken afresh, and its numbers count anew (B12)', async () => {
  const it = page();
  const { begin, state } = await it.load('store');
  const live = await it.load('live');
  begin(session({ history: 'one' }));
  live.start();
  const told = [];
  live.listen((event) => told.push([event.type, event.isOther]));
  live.join(1, 90);
  await it.sockets.newest.says({ ...HELLO, history: 'one' });
  await it.server.asked('GET', `${SYNC}&history=one`).answer(200, { ...caughtUp(session()), history: 'one' });
  await it.sockets.newest.ends(1001);
  await it.clock.pass(500);
  await stillSignedIn(it);
  told.length = 0;
  await it.sockets.newest.says({ ...HELLO, history: 'two', seq: 140 });
  assert.deepEqual(it.sockets.newest.said('join_room'), [], 'its position would mean nothing');
  await it.server.asked('GET', `${SYNC}&history=one`).answer(410, { detail: 'It was put back.', code: 'gone' });
  await it.server.asked('GET', '/api/session?fresh').answer(200, session({ history: 'two', seq: 41, rooms: [room(2)] }));
  assert.deepEqual([state.seq, state.history, [...state.rooms.keys()]], [41, 'two', [2]]);
  assert.deepEqual(told, [['afresh', true], ['back', undefined]]);
  await it.sockets.newest.says({ type: 'user.updated', seq: 42, user: user(2, 'Benedict') });
  assert.equal(state.users.get(2).name, 'Benedict');
});

test('same history under another name goes on: the server was only started again (B12)', async () => {
  const it = await signedIn({ session: session({ history: undefined }) });
  const events = heard(it.live);
  it.live.join(1, 100);
  it.state.history = 'one';
  await it.sockets.newest.ends(1001);
  await it.clock.pass(500);
  await stillSignedIn(it);
  await it.sockets.newest.says({ ...HELLO, history: 'two', seq: 104 });
  await it.server.asked('GET', `${SYNC}&history=one`).answer(200, { ...caughtUp(session({ seq: 104 })), history: 'two' });
  assert.deepEqual([it.state.seq, it.state.history], [104, 'two']);
  assert.deepEqual(it.sockets.newest.said('join_room'), [{ type: 'join_room', room_id: 1, since: 100 }]);
  assert.deepEqual(events, ['back']);
});

test('page of somebody else is told so, by the socket and by the session', async () => {
  const it = page();
  const { begin } = await it.load('store');
  const live = await it.load('live');
  begin(session());
  const events = heard(live);
  live.start();
  await it.sockets.newest.says({ ...HELLO, user_id: 2 });
  assert.deepEqual(events, ['somebody_else']);
  assert.deepEqual(it.server.waiting, []);
});

test('page that is put away closes its socket, and is caught up when it comes back (F31)', async () => {
  const it = await signedIn();
  it.storage.setItem('campfire.signed-in', '1');
  const [socket] = it.sockets.all;
  await it.happens('pagehide', { persisted: true });
  assert.equal(socket.isClosed, true);
  await socket.says({ type: 'room.deleted', seq: 101, room_id: 1 });
  assert.ok(it.state.rooms.has(1), 'nobody listens to it any more');
  await it.clock.pass(3600000);
  assert.deepEqual(it.server.waiting, [], 'a page that is put away asks for nothing');
  await it.happens('pageshow', { persisted: true });
  await stillSignedIn(it);
  await it.sockets.newest.says({ ...HELLO, seq: 101 });
  await it.server.asked('GET', SYNC).answer(200, caughtUp(session({ rooms: [], seq: 101 }), [{ type: 'room.deleted', seq: 101, room_id: 1 }]));
  assert.deepEqual([...it.state.rooms.keys()], []);
});

test('page that comes back after somebody signed out elsewhere shows nothing of theirs (F31)', async () => {
  const it = await signedIn();
  const events = heard(it.live);
  await it.happens('pagehide', { persisted: true });
  await it.happens('pageshow', { persisted: true });
  assert.deepEqual(events, ['signed_out']);
});

test('frozen page and sleeping machine find a connection that is alive (F31)', async () => {
  const it = await signedIn();
  it.storage.setItem('campfire.signed-in', '1');
  it.document.dispatchEvent(new Event('freeze'));
  it.document.dispatchEvent(new Event('resume'));
  await it.clock.pass(0);
  await stillSignedIn(it);
  const second = it.sockets.newest;
  await second.says(HELLO);
  second.isDead = true;
  // The clock goes on while nothing runs.
  it.clock.now += 3600000;
  await it.shows('visible');
  await it.clock.pass(4000);
  assert.equal(second.isClosed, true);
  await it.clock.pass(500);
  await stillSignedIn(it);
  assert.equal(it.sockets.all.length, 3);
});

test('joined room is asked for from the last event that was taken', async () => {
  const it = await signedIn();
  it.live.join(1, 100);
  const [socket] = it.sockets.all;
  assert.deepEqual(socket.said('join_room'), [{ type: 'join_room', room_id: 1, since: 100 }]);
  await socket.says({ type: 'joined', room_id: 1, seq: 100, present: [1] }, { type: 'message.created', seq: 105, message: message(10) });
  await socket.ends();
  await it.clock.pass(500);
  await stillSignedIn(it);
  await it.sockets.newest.says(HELLO);
  assert.deepEqual(it.sockets.newest.said('join_room'), [{ type: 'join_room', room_id: 1, since: 105 }]);
});

test('event that comes before the room is joined does not count as taken', async () => {
  const it = await signedIn();
  it.live.join(1, 100);
  await it.sockets.newest.says({ type: 'room.updated', seq: 300, room: room(1, { name: 'Renamed' }) });
  assert.equal(it.state.rooms.get(1).name, 'Renamed');
  assert.equal(it.live.leave(), 100, 'the messages between 100 and 300 are still to come');
});

test('gap in the numbers of events is none: other rooms have events too', async () => {
  const it = await signedIn();
  const events = heard(it.live);
  it.live.join(1, 100);
  await it.sockets.newest.says({ type: 'joined', room_id: 1, seq: 100, present: [] }, { type: 'message.created', seq: 101, message: message(10) }, { type: 'message.created', seq: 250, message: message(11) });
  assert.deepEqual(events, ['message.created', 'message.created']);
  assert.deepEqual(it.server.waiting, []);
  assert.equal(it.live.leave(), 250);
});

test('repeated or older event never moves the last event back', async () => {
  const it = await signedIn();
  it.live.join(1, 100);
  await it.sockets.newest.says({ type: 'joined', room_id: 1, seq: 100, present: [] });
  for (const seq of [108, 104, 108]) await it.sockets.newest.says({ type: 'message.created', seq, message: message(seq) });
  assert.equal(it.state.seq, 108);
  assert.equal(it.live.leave(), 108);
});

test('resync asks for what was left out, of the room and of all else', async () => {
  const it = await signedIn();
  const events = heard(it.live);
  it.live.join(1, 100);
  const [socket] = it.sockets.all;
  await socket.says({ type: 'joined', room_id: 1, seq: 100, present: [] }, { type: 'message.created', seq: 105, message: message(105) }, { type: 'resync', seq: 900 });
  assert.deepEqual(socket.said('join_room').at(-1), { type: 'join_room', room_id: 1, since: 105 });
  await it.server.asked('GET', '/api/sync?since=105&with=rooms').answer(200, caughtUp(session({ seq: 905 })));
  await socket.says({ type: 'message.created', seq: 906, message: message(906) }, { type: 'joined', room_id: 1, seq: 907, present: [] }, { type: 'message.deleted', seq: 890, room_id: 1, message_id: 105 });
  assert.deepEqual(events, ['message.created', 'message.created', 'message.deleted'], 'nothing that is replayed is left out');
});

test('resync in answer to a join goes on from its number and has the room loaded anew', async () => {
  const it = await signedIn();
  const events = heard(it.live);
  it.live.join(1, 100);
  await it.sockets.newest.says({ type: 'joined', room_id: 1, seq: 900, present: [] }, { type: 'resync', seq: 900 });
  await it.server.asked('GET', SYNC).answer(200, caughtUp(session({ seq: 905 })));
  assert.deepEqual(events, ['afresh']);
  assert.equal(it.live.leave(), 900);
});

test('other room is joined after the one before was left', async () => {
  const it = await signedIn({ session: session({ rooms: [room(1), room(2)] }) });
  it.live.join(1, 100);
  it.live.join(2, 100);
  assert.deepEqual(it.sockets.newest.sent.filter(({ type }) => type !== 'ping'), [
    { type: 'join_room', room_id: 1, since: 100 }, { type: 'leave_room', room_id: 1 }, { type: 'join_room', room_id: 2, since: 100 },
  ]);
  await it.sockets.newest.says({ type: 'joined', room_id: 1, seq: 500, present: [] }, { type: 'message.created', seq: 501, message: message(10) });
  assert.equal(it.live.leave(), 100, 'the first room\'s answer is not the second\'s');
});

test('join that a busy server refused is tried again when it says', async () => {
  const it = await signedIn();
  it.live.join(1, 100);
  const [socket] = it.sockets.all;
  await socket.says({ type: 'error', code: 'overloaded', detail: 'Later.', retry_after_ms: 2000 });
  await it.clock.pass(1999);
  assert.equal(socket.said('join_room').length, 1);
  await it.clock.pass(1);
  assert.equal(socket.said('join_room').length, 2);
  await socket.says({ type: 'joined', room_id: 1, seq: 100, present: [] }, { type: 'error', code: 'rate_limited', detail: 'Later.', retry_after_ms: 2000 });
  await it.clock.pass(2000);
  assert.equal(socket.said('join_room').length, 2, 'what is joined is not joined again');
});

test('answer to a join before the room was left does not count for the next one (B5)', async () => {
  const it = await signedIn();
  const [socket] = it.sockets.all;
  // The answers come when the test says so.
  socket.send = function send(text) { this.sent.push(JSON.parse(text)); };
  it.live.join(1, 100);
  it.live.leave();
  it.live.join(1, 100);
  await socket.says({ type: 'joined', room_id: 1, seq: 104, present: [] }, { type: 'message.created', seq: 104, message: message(104) }, { type: 'left', room_id: 1 });
  await it.shows('visible');
  assert.equal(socket.said('join_room').length, 3, 'it is not in the room yet');
  await socket.says({ type: 'joined', room_id: 1, seq: 105, present: [] }, { type: 'message.created', seq: 104, message: message(104) });
  assert.equal(it.live.leave(), 104);
});

test('hidden page leaves the room after a while and comes back where it was', async () => {
  const it = await signedIn();
  it.live.join(1, 100);
  const [socket] = it.sockets.all;
  await socket.says({ type: 'joined', room_id: 1, seq: 100, present: [] }, { type: 'message.created', seq: 120, message: message(10) });
  await it.shows('hidden');
  await it.clock.pass(4999);
  assert.equal(socket.said('leave_room').length, 0);
  await it.clock.pass(1);
  assert.equal(socket.said('leave_room').length, 1);
  await it.shows('visible');
  assert.deepEqual(socket.said('join_room').at(-1), { type: 'join_room', room_id: 1, since: 120 });
});

test('page that is hidden for a moment stays in the room', async () => {
  const it = await signedIn();
  it.live.join(1, 100);
  await it.sockets.newest.says({ type: 'joined', room_id: 1, seq: 100, present: [] });
  await it.shows('hidden');
  await it.clock.pass(3000);
  await it.shows('visible');
  await it.clock.pass(10000);
  assert.equal(it.sockets.newest.said('leave_room').length, 0);
  assert.equal(it.sockets.newest.said('join_room').length, 1);
});

test('silent connection is asked for a sign and given up without one', async () => {
  const it = await signedIn();
  const [socket] = it.sockets.all;
  socket.isDead = true;
  const before = socket.said('ping').length;
  await it.clock.pass(15000);
  assert.equal(socket.said('ping').length, before + 1);
  await it.clock.pass(4000);
  assert.equal(socket.isClosed, true);
  assert.equal(it.state.connected, false);
});

test('dead connection is found out within five seconds of waking or of the first key (F20)', async () => {
  for (const act of [(it) => it.happens('keydown'), (it) => it.happens('pointerdown'), (it) => it.shows('visible'), (it) => it.happens('online')]) {
    const it = await signedIn();
    const [socket] = it.sockets.all;
    socket.isDead = true;
    await it.clock.pass(6000);
    assert.equal(it.state.connected, true);
    await act(it);
    await it.clock.pass(4500);
    assert.equal(it.state.connected, false);
    await it.server.asked('GET', '/api/users/1').answer(200, user(1, 'Ada'));
    assert.equal(it.sockets.all.length, 2, 'a new one is opened at once');
  }
});

test('keys ask a connection that speaks for nothing, and a silent one not for each key (F20)', async () => {
  const it = await signedIn();
  const [socket] = it.sockets.all;
  await it.clock.pass(1000);
  const before = socket.said('ping').length;
  await it.happens('keydown');
  assert.equal(socket.said('ping').length, before);
  await it.clock.pass(5000);
  for (let key = 0; key < 20; key += 1) await it.happens('keydown');
  assert.equal(socket.said('ping').length, before + 1);
});

test('hidden page asks as seldom as the server does (F20)', async () => {
  const it = await signedIn();
  const [socket] = it.sockets.all;
  await it.shows('hidden');
  const before = socket.said('ping').length;
  await it.clock.pass(120000);
  assert.ok(socket.said('ping').length - before <= 4);
});

test('answer to the ping keeps the connection', async () => {
  const it = await signedIn();
  const [socket] = it.sockets.all;
  await it.clock.pass(3600000);
  assert.ok(socket.said('ping').length > 60);
  assert.equal(socket.isClosed, false);
  assert.equal(it.state.connected, true);
});

test('late event of a socket that was given up is not taken', async () => {
  const it = await signedIn();
  const [socket] = it.sockets.all;
  socket.isDead = true;
  await it.clock.pass(48000);
  assert.equal(it.state.connected, false);
  await socket.says({ type: 'room.deleted', seq: 101, room_id: 1 });
  assert.ok(it.state.rooms.has(1));
});

test('nothing can be said without a connection', async () => {
  const it = await signedIn();
  assert.equal(it.socket.say({ type: 'read', room_id: 1, message_id: 3 }), true);
  await it.sockets.newest.ends();
  assert.equal(it.socket.say({ type: 'read', room_id: 1, message_id: 4 }), false);
  assert.equal(it.sockets.all[0].said('read').length, 1);
});

test('events change rooms, people and the account', async () => {
  const it = await signedIn({ session: session({ rooms: [room(1), room(2)] }) });
  await it.sockets.newest.says(
    { type: 'room.deleted', seq: 101, room_id: 2 },
    { type: 'membership.updated', seq: 102, room_id: 3, room: { ...room(3), membership: undefined }, membership: { involvement: 'everything', unread_count: 2, mention_count: 0, last_read_message_id: null } },
    { type: 'user.updated', seq: 103, user: user(2, 'Benedict') },
    { type: 'account.updated', seq: 104, account: { name: 'New name' } });
  assert.deepEqual([...it.state.rooms.keys()], [1, 3]);
  assert.equal(it.state.rooms.get(3).membership.unread_count, 2);
  assert.equal(it.state.users.get(2).name, 'Benedict');
  assert.equal(it.state.account.name, 'New name');
  assert.equal(it.state.seq, 104);
  await it.sockets.newest.says({ type: 'membership.updated', seq: 105, room_id: 3, membership: null });
  assert.deepEqual([...it.state.rooms.keys()], [1]);
});

test('message ends its author\'s typing, and typing ends by itself', async () => {
  const it = await signedIn();
  const typing = () => [...(it.state.typing.get(1)?.keys() || [])];
  await it.sockets.newest.says({ type: 'typing', room_id: 1, user_id: 2, active: true }, { type: 'typing', room_id: 1, user_id: 3, active: true });
  assert.deepEqual(typing(), [2, 3]);
  await it.sockets.newest.says({ type: 'message.created', seq: 101, message: message(10) });
  assert.deepEqual(typing(), [3]);
  await it.clock.pass(5000);
  assert.deepEqual(typing(), []);
});

test('presence in a direct room is about being online, elsewhere about the room', async () => {
  const it = await signedIn({ session: session({ rooms: [room(1), room(2, { kind: 'direct', name: null, member_ids: [1, 2] })] }) });
  await it.sockets.newest.says({ type: 'presence', room_id: 2, user_id: 2, online: true }, { type: 'presence', room_id: 1, user_id: 3, online: true });
  assert.deepEqual([...it.state.online], [1, 2]);
  assert.deepEqual([...it.state.present.get(1)], [3]);
  await it.sockets.newest.says({ type: 'joined', room_id: 2, seq: 100, present: [1] });
  assert.deepEqual([...it.state.online], [1]);
});

test('presence in a room waits for no answer, since none has it; being online does', async () => {
  const it = await signedIn({ session: session({ rooms: [room(1), room(2, { kind: 'direct', name: null, member_ids: [1, 2] })] }) });
  it.live.join(1, 100);
  await it.sockets.newest.says({ type: 'resync', seq: 100 }, { type: 'joined', room_id: 1, seq: 100, present: [1, 2] },
    { type: 'presence', room_id: 1, user_id: 3, online: true }, { type: 'presence', room_id: 1, user_id: 2, online: false }, { type: 'presence', room_id: 2, user_id: 2, online: true });
  assert.deepEqual([...it.state.present.get(1)], [1, 3]);
  assert.deepEqual([...it.state.online], [1], 'the answer would replace it');
  // What waits is dropped when the answer is asked for again.
  await it.server.asked('GET', SYNC).answer(503, { detail: 'Try again soon.', code: 'overloaded', retry_after_ms: 500 });
  await it.clock.pass(500);
  await it.server.asked('GET', SYNC).answer(200, { ...caughtUp(session({ rooms: [...it.state.rooms.values()] })), online: [1, 2] });
  assert.deepEqual([...it.state.present.get(1)], [1, 3]);
  assert.deepEqual([...it.state.online], [1, 2]);
});

test('sign-in page of a gateway signs nobody out, and is told (F1)', async () => {
  const it = await signedIn();
  const events = heard(it.live);
  await it.sockets.newest.ends();
  await it.clock.pass(500);
  await it.server.asked('GET', '/api/users/1').answer(401, '<title>Sign in to the network</title>');
  assert.deepEqual([events, it.state.intercepted], [[], true]);
  await it.clock.pass(1000);
  await stillSignedIn(it);
  await it.sockets.newest.says(HELLO);
  assert.equal(it.state.intercepted, false);
});
