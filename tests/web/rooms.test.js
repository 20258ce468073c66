import assert from 'node:assert/strict';
import test from 'node:test';

import { message, page, room, session, settled, signedIn, user } from './page.js';

const membership = (more) => ({ involvement: 'mentions', unread_count: 0, mention_count: 0, last_read_message_id: null, ...more });
const direct = (id, others, more) => room(id, { kind: 'direct', name: null, member_ids: [1, ...others], ...more });

async function ready(rooms, options = {}) {
  const it = await signedIn({ ...options, session: session({ rooms, ...options.session }) });
  return { ...it, rooms: await it.load('rooms') };
}

const ids = (list) => list.map(({ id }) => id);

test('shared rooms stand by name, direct ones by who wrote last', async () => {
  const it = await ready([room(1, { name: 'Zoo' }), room(2, { name: 'élan' }), room(3, { name: 'Elm', kind: 'closed' }), direct(4, [2], { last_message_id: 7 }), direct(5, [3], { last_message_id: 9 })]);
  assert.deepEqual(ids(it.rooms.sharedInOrder()), [2, 3, 1]);
  assert.deepEqual(ids(it.rooms.directsInOrder()), [5, 4]);
});

test('direct room that was just made stands first, an old one without messages last', async () => {
  const it = await ready([direct(4, [2], { last_message_id: 7 }), direct(5, [3], { created_at: '2026-11-24T07:00:00.000Z' }), direct(6, [2, 3])]);
  assert.deepEqual(ids(it.rooms.directsInOrder()), [5, 4, 6]);
});

test('direct room with a new message moves up', async () => {
  const it = await ready([direct(4, [2], { last_message_id: 7 }), direct(5, [3], { last_message_id: 9 })]);
  await it.sockets.newest.says({ type: 'unread', room_id: 4, message_id: 10, mention: true });
  assert.deepEqual(ids(it.rooms.directsInOrder()), [4, 5]);
});

test('hidden room is in its own list only', async () => {
  const it = await ready([room(1), room(2, { membership: membership({ involvement: 'invisible', unread_count: 3, mention_count: 1 }) }), direct(3, [2], { membership: membership({ involvement: 'invisible' }) })]);
  assert.deepEqual([ids(it.rooms.sharedInOrder()), ids(it.rooms.directsInOrder()), ids(it.rooms.hiddenInOrder())], [[1], [], [3, 2]]);
});

test('muted room shows nothing new, others show what is unread and who means me', async () => {
  const it = await ready(['invisible', 'nothing', 'mentions', 'everything'].map((involvement, place) => room(place + 1, { membership: membership({ involvement, unread_count: 2, mention_count: 1 }) })));
  const all = [...it.state.rooms.values()];
  assert.deepEqual(all.map(it.rooms.isUnread), [false, false, true, true]);
  assert.deepEqual(all.map(it.rooms.callsIn), [0, 0, 1, 1]);
});

test('address of a room or of a message in it is of that room', async () => {
  const it = await ready([room(1)]);
  for (const [path, id] of [['/rooms/1', 1], ['/rooms/12/@34', 12], ['/rooms/7/', 7], ['/', 0], ['/rooms/x', 0], ['/settings/rooms/1', 0]]) {
    location.pathname = path;
    assert.equal(it.rooms.roomHere(), id, path);
  }
});

test('next unread room is looked for from here on, all the way round', async () => {
  const unread = { membership: membership({ unread_count: 1 }) };
  const it = await ready([direct(10, [2], unread), room(1, { name: 'a' }), room(2, { name: 'b', ...unread }), room(3, { name: 'c' }), room(4, { name: 'd', ...unread })]);
  const from = (path, step) => {
    location.pathname = path;
    return it.rooms.nextUnread(step)?.id;
  };
  assert.deepEqual([from('/rooms/1', 1), from('/rooms/2', 1), from('/rooms/4', 1)], [2, 4, 10]);
  assert.deepEqual([from('/rooms/3', -1), from('/rooms/2', -1), from('/rooms/10', -1)], [2, 10, 4]);
  assert.deepEqual([from('/search', 1), from('/search', -1)], [10, 4]);
});

test('next unread room is none where nothing else is unread', async () => {
  const it = await ready([room(1, { membership: membership({ unread_count: 1 }) }), room(2)], { path: '/rooms/1' });
  assert.equal(it.rooms.nextUnread(1), null);
  assert.equal((await ready([])).rooms.nextUnread(-1), null);
});

test('usual room is the one that was open last and is still there', async () => {
  const it = await ready([room(1, { name: 'a' }), room(2, { name: 'b' })]);
  assert.equal(it.rooms.usualRoom(), 1);
  for (const id of [2, 1, 2]) it.rooms.noteVisit(id);
  assert.deepEqual(it.rooms.visits(), [2, 1]);
  it.store.dropRoom(2);
  assert.equal(it.rooms.usualRoom(), 1);
});

test('visits are bounded, and survive what cannot be read', async () => {
  const it = await ready(Array.from({ length: 20 }, (_, place) => room(place + 1)));
  for (let id = 1; id <= 20; id += 1) it.rooms.noteVisit(id);
  assert.deepEqual(it.rooms.visits(), [20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9]);
  it.storage.setItem('campfire.visits', '{');
  assert.deepEqual(it.rooms.visits(), []);
  it.rooms.noteVisit(3);
  assert.deepEqual(it.rooms.visits(), [3]);
});

test('those who may be mentioned are the active others, who spoke last first', async () => {
  const users = [user(1, 'Ada'), user(2, 'Ben'), user(3, 'Cleo'), user(4, 'Dan'), user(5, 'Eve', { status: 'deactivated' })];
  const it = await ready([room(1)], { session: { users } });
  const { mentionable } = await it.load('members');
  assert.deepEqual(ids(mentionable(room(1), [message(10, { creator_id: 4 }), message(11, { creator_id: 3 }), message(12, { creator_id: 4 })])), [4, 3, 2]);
  assert.deepEqual(ids(mentionable(direct(2, [3]), [])), [3]);
  assert.deepEqual(mentionable(undefined, []), []);
});

test('members of a closed room are asked for once, and again after they have changed', async () => {
  const it = await ready([room(7, { kind: 'closed' })]);
  const { learnMembers, mentionable } = await it.load('members');
  const closed = it.state.rooms.get(7);
  learnMembers(closed);
  learnMembers(closed);
  assert.deepEqual(it.server.waiting, ['GET /api/rooms/7/members']);
  assert.deepEqual(mentionable(closed, []), []);
  await it.server.asked('GET', '/api/rooms/7/members').answer(200, { members: [user(1, 'Ada'), user(3, 'Cleo')] });
  assert.deepEqual(ids(mentionable(closed, [])), [3]);
  const renewed = { ...closed, updated_at: '2026-11-24T09:00:00.000Z' };
  learnMembers(renewed);
  assert.deepEqual(ids(mentionable(closed, [])), [3], 'until the answer is here those of before stay');
  await it.server.asked('GET', '/api/rooms/7/members').fail();
  learnMembers(renewed);
  assert.deepEqual(it.server.waiting, ['GET /api/rooms/7/members'], 'a failure is not kept');
});

test('guests are in the open rooms that they were let into', async () => {
  const users = [user(1, 'Ada'), user(2, 'Ben'), user(3, 'Gus', { role: 'guest' }), user(4, 'Hana', { role: 'guest' })];
  const it = await ready([room(1)], { session: { users } });
  const { learnMembers, mentionable, peopleIn } = await it.load('members');
  const open = it.state.rooms.get(1);
  assert.deepEqual(ids(mentionable(open, [])), [2], 'as long as the members are not known');
  learnMembers(open);
  await it.server.asked('GET', '/api/rooms/1/members').answer(200, { members: [users[0], users[1], users[2]] });
  assert.deepEqual(ids(mentionable(open, [])), [2, 3]);
  assert.equal(peopleIn(open), 3);
  learnMembers({ ...open, member_count: 4 });
  assert.deepEqual(it.server.waiting, ['GET /api/rooms/1/members'], 'another has come');
});

test('a guest sees nobody in an open room but those who are there', async () => {
  const users = [user(1, 'Gus', { role: 'guest' }), user(2, 'Ben'), user(3, 'Cleo')];
  const it = await ready([room(1)], { session: { users, user: users[0] } });
  const { learnMembers, mentionable } = await it.load('members');
  const open = it.state.rooms.get(1);
  learnMembers(open);
  await it.server.asked('GET', '/api/rooms/1/members').answer(200, { members: [users[0], users[1]] });
  assert.deepEqual(ids(mentionable(open, [])), [2]);
  const { mayChangeRoom, mayInvite, mayLeave, mayMakeRooms } = await it.load('rights');
  assert.deepEqual([mayMakeRooms(), mayInvite(), mayChangeRoom({ ...open, creator_id: 1 }), mayLeave(open)], [false, false, false, true]);
});

test('settings of the account say what members may', async () => {
  const rights = async (settings, role = 'member') => {
    const me = user(1, 'Ada', { role });
    const it = await ready([room(1)], { session: { user: me, users: [me], account: { name: 'Team', settings } } });
    const { makesInvitations, mayInvite, mayMakeRooms, seesJoinLink } = await it.load('rights');
    return [mayMakeRooms(), seesJoinLink(), makesInvitations(), mayInvite()];
  };
  assert.deepEqual(await rights({}), [true, false, false, false]);
  assert.deepEqual(await rights({ restrict_room_creation: true }), [false, false, false, false]);
  assert.deepEqual(await rights({ members_see_join_link: true }), [true, true, false, true]);
  assert.deepEqual(await rights({ members_may_invite: true }), [true, false, true, true]);
  assert.deepEqual(await rights({ restrict_room_creation: true }, 'admin'), [true, true, true, true]);
  assert.deepEqual(await rights({ members_may_invite: true, members_see_join_link: true }, 'guest'), [false, false, false, false]);
});

test('draft is kept for each person and room until it is sent', async () => {
  const it = await ready([room(1)]);
  const { draftOf, keepDraft } = await it.load('drafts');
  const empty = { text: '', names: {}, reply: null };
  const draft = { text: 'half a thou', names: { '@Ben': 2 }, reply: { id: 4 } };
  assert.deepEqual(draftOf(1), empty);
  keepDraft(1, draft);
  assert.deepEqual([draftOf(1), draftOf(2)], [draft, empty]);
  const ben = session({ user: user(2, 'Ben') });
  const other = await signedIn({ session: ben, storage: it.storage });
  assert.deepEqual((await other.load('drafts')).draftOf(1), empty);
  keepDraft(1, empty);
  assert.deepEqual(draftOf(1), empty);
});

test('draft that cannot be read is an empty one', async () => {
  const it = await ready([room(1)]);
  const { draftOf } = await it.load('drafts');
  for (const kept of ['{', 'null', '[]', '7']) {
    it.storage.setItem('campfire.draft.1.1', kept);
    assert.deepEqual(draftOf(1), { text: '', names: {}, reply: null }, kept);
  }
});

test('title tells where one is and what is new', async () => {
  const it = await ready([room(1, { name: 'All Talk' }), room(2)], { path: '/rooms/1' });
  await it.load('title');
  const title = async (act) => {
    act();
    await settled();
    return it.document.title;
  };
  assert.equal(await title(() => it.store.changed('route')), 'All Talk · Team');
  assert.equal(await title(() => it.store.addUnread(2, 101, false)), '• All Talk · Team');
  assert.equal(await title(() => it.store.addUnread(2, 102, true)), '(1) All Talk · Team');
  location.pathname = '/search';
  assert.equal(await title(() => it.store.changed('route')), '(1) Search · Team');
});

test('emoji are found by the beginnings of their words, the name first', async () => {
  const { EMOJI, TONES, findEmoji, toned } = await page().load('emoji');
  const found = (words, more) => findEmoji(words, more).map(({ sign }) => sign);
  assert.equal(found('tada')[0], '🎉');
  assert.equal(found(':heart_eyes:')[0], '😍');
  assert.ok(found('thumb').indexOf('👍') < found('thumb').indexOf('🫰') || !found('thumb').includes('🫰'));
  assert.ok(found('red heart').includes('❤️'));
  assert.deepEqual(found('  '), []);
  assert.deepEqual(found('xyzzy'), []);
  assert.equal(found('feuer', { '🔥': ['feuer'] })[0], '🔥');
  assert.equal(new Set(EMOJI.map(({ sign }) => sign)).size, EMOJI.length, 'none is there twice');
  const thumb = EMOJI.find(({ sign }) => sign === '👍');
  assert.equal(toned(thumb, TONES[3]), '👍🏽');
  assert.equal(toned(EMOJI.find(({ sign }) => sign === '☝️'), TONES[1]), '☝🏻', 'the tone takes the place of the mark');
  assert.equal(toned(EMOJI.find(({ sign }) => sign === '🔥'), TONES[1]), '🔥');
});

test('each message of a direct room counts as a call, unless the room is muted (F22)', async () => {
  const it = await ready([
    direct(1, [2], { membership: membership({ involvement: 'everything', unread_count: 3 }) }), direct(2, [3], { membership: membership({ involvement: 'nothing', unread_count: 3 }) }),
    direct(3, [2, 3], { membership: membership({ involvement: 'mentions', unread_count: 3, mention_count: 1 }) }), room(4, { membership: membership({ involvement: 'everything', unread_count: 5 }) }),
  ]);
  assert.deepEqual([...it.state.rooms.values()].map(it.rooms.callsIn), [3, 0, 1, 0]);
});

test('direct room that somebody else opened is listed once something was said (F13)', async () => {
  const it = await ready([direct(1, [2], { creator_id: 2 }), direct(2, [3], { creator_id: 1 }), direct(3, [4], { creator_id: 4, last_message_id: 9 }), direct(4, [5], { creator_id: 5, membership: membership({ last_read_message_id: 7 }) })]);
  const shown = () => ids(it.rooms.directsInOrder()).sort();
  // In the last one all messages were deleted.
  assert.deepEqual(shown(), [2, 3, 4]);
  location.pathname = '/rooms/1';
  assert.deepEqual(shown(), [1, 2, 3, 4]);
  location.pathname = '/';
  it.store.sawMessage(1, 12);
  assert.deepEqual(shown(), [1, 2, 3, 4]);
});
