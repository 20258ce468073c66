import assert from 'node:assert/strict';
import test from 'node:test';

import { message, session, signedIn, user } from './page.js';

const it = await signedIn({ session: session({ users: [user(1, 'Ada'), user(2, 'Mara Ortiz'), user(3, 'Mara'), user(4, 'Ben [ops]'), user(5, 'Ben'), user(6, 'Ben')] }) });
const { labelFor, mentionsMe, toReadable, toStored } = await it.load('mentions');
const MEMBERS = [...it.state.users.values()];

test('message mentions me by my id, or everybody', () => {
  assert.equal(mentionsMe(message(10)), false);
  assert.equal(mentionsMe(message(10, { mentions: [2, 1] })), true);
  assert.equal(mentionsMe(message(10, { everyone: true })), true);
  assert.equal(mentionsMe(message(10, { html: '<p><span class="mention">@here</span></p>' })), false, 'HTML is not read');
});

test('mention is read by the name that the person has now', () => {
  assert.deepEqual(toReadable('hi @[Old Name](user:2)!'), { text: 'hi @Mara Ortiz!', names: { '@Mara Ortiz': 2 } });
  assert.deepEqual(toReadable('hi @[Gone \\[x\\]](user:99)'), { text: 'hi @Gone [x]', names: { '@Gone [x]': 99 } });
});

test('mention comes back as it was after it was read', () => {
  for (const stored of ['@[Mara Ortiz](user:2) and @[Mara](user:3)', 'a @[Ben \\[ops\\]](user:4), b', '@[Ben](user:5) is not @[Ben](user:6)']) {
    const { text, names } = toReadable(stored);
    assert.equal(toStored(text, names), stored);
  }
});

test('second person of one name carries a number', () => {
  const names = {};
  assert.deepEqual([labelFor(user(5, 'Ben'), names), labelFor(user(6, 'Ben'), names), labelFor(user(5, 'Ben'), names)], ['@Ben', '@Ben #6', '@Ben']);
});

test('longest name wins where one begins with another', () => {
  assert.equal(toStored('@Mara Ortiz @Mara', { '@Mara': 3, '@Mara Ortiz': 2 }), '@[Mara Ortiz](user:2) @[Mara](user:3)');
});

test('name that goes on is another word', () => {
  const names = { '@Mara': 3 };
  for (const text of ['@Marathon', '@Mara_x', '@Mara9', '@Maraé']) assert.equal(toStored(text, names), text);
  assert.equal(toStored('@Mara, @Mara! (@Mara)', names), '@[Mara](user:3), @[Mara](user:3)! (@[Mara](user:3))');
});

test('code mentions nobody', () => {
  const names = { '@Mara': 3 };
  for (const text of ['`@Mara`', '```\n@Mara\n```', '```\n@Mara']) assert.equal(toStored(text, names), text);
  assert.equal(toStored('`x` @Mara `@Mara`', names), '`x` @[Mara](user:3) `@Mara`');
});

test('whole name that was typed without choosing it is a mention, unless two people have it', () => {
  assert.equal(toStored('@Mara Ortiz, see @Ben', {}, MEMBERS), '@[Mara Ortiz](user:2), see @Ben');
  assert.equal(toStored('@mara', {}, MEMBERS), '@mara');
});

test('text without a mention stays as it is', () => {
  for (const text of ['', 'no one', 'a@b.example', '@', '@@', '@nobody']) assert.equal(toStored(text, {}, MEMBERS), text);
});

test('mention of everybody counts as one of me (27)', async () => {
  const page = await signedIn({ session: session({ seq: 5 }) });
  const { ReadMarks } = await page.load('components/read-marks');
  page.document.visibilityState = 'hidden';
  const marks = new ReadMarks(1, { isAtEnd: true, setNew() {}, known: (id) => message(id, { everyone: true }) });
  const counts = () => [page.state.rooms.get(1).membership.unread_count, page.state.rooms.get(1).membership.mention_count];
  for (const [id, more] of [[10, { everyone: true }], [11, { mentions: [1] }], [12, { mentions: [2] }]]) marks.count({ type: 'message.created', seq: id, message: message(id, more) }, false);
  assert.deepEqual(counts(), [3, 2]);
  marks.count({ type: 'message.deleted', seq: 13, message_id: 10, mentions: [], everyone: true }, false);
  marks.count({ type: 'message.updated', seq: 14, message: message(11) }, false);
  assert.deepEqual(counts(), [2, 0]);
});
