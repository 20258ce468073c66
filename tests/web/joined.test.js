import assert from 'node:assert/strict';
import test from 'node:test';

import { room, session, signedIn, user } from './page.js';

const at = (minute) => `2026-11-24T08:${String(minute).padStart(2, '0')}:00.000Z`;
const time = (minute) => Date.parse(at(minute));
const joined = (id, name, minute, more = {}) => user(id, name, { created_at: at(minute), ...more });
const plain = (text) => text.replace(/[\u2068\u2069]/g, '');

async function ready(users, rooms = [room(1, { created_at: at(1) }), room(2, { created_at: at(5) })]) {
  const it = await signedIn({ session: session({ rooms, users: [joined(1, 'Ada', 0), ...users] }) });
  const { joinsOf } = await it.load('joined');
  return { ...it, joins: (id, from, to) => plain(joinsOf(id)(from, to)) };
}

test('who joined between two messages is said in the first open room', async () => {
  const it = await ready([joined(2, 'Ben', 10), joined(3, 'Cleo', 12), joined(4, 'Hook', 11, { role: 'bot' })]);
  assert.equal(it.joins(1, time(9), time(11)), 'Ben joined.');
  assert.equal(it.joins(1, time(9), time(30)), 'Ben and Cleo joined.');
  assert.equal(it.joins(1, time(12), time(30)), '');
  assert.equal(it.joins(1, 0), 'Ben and Cleo joined.');
  assert.equal(it.joins(2, 0), '');
});

test('people who were brought along with older messages have not joined', async () => {
  const it = await ready([joined(2, 'Ben', 10)], [room(1, { created_at: at(9) })]);
  assert.equal(it.joins(1, time(5)), '');
  assert.equal(it.joins(1, time(9)), 'Ben joined.');
  assert.equal(it.joins(1, 0), 'Ben joined.');
});

test('many who joined are counted, and those who are gone are not', async () => {
  const it = await ready([...Array.from({ length: 40 }, (_, n) => joined(10 + n, `P${n}`, 10)), joined(90, 'Gone', 10, { status: 'deactivated' })]);
  assert.equal(it.joins(1, time(9), time(10)), 'P0, P1, P2 and 37 others joined.');
});

test('somebody who joins now is said at once, by the name they have', async () => {
  const it = await ready([]);
  assert.equal(it.joins(1, 0), '');
  await it.sockets.newest.says({ type: 'user.updated', seq: 101, user: joined(7, 'Gil', 20) });
  assert.equal(it.joins(1, 0), 'Gil joined.');
  await it.sockets.newest.says({ type: 'user.updated', seq: 102, user: joined(7, 'Gilda', 20) });
  assert.equal(it.joins(1, 0), 'Gilda joined.');
});
