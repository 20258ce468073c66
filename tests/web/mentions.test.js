import assert from 'node:assert/strict';
import test from 'node:test';

import { message, session, signedIn, user } from './page.js';

const it = await signedIn({ session: session({ users: [user(1, 'Ada'), user(2, 'Mara Ortiz'), user(3, 'Mara'), user(4, 'Ben [ops]'), user(5, 'Ben'), user(6, 'Ben'), user(7, '田中'), user(8, '민수'), user(9, '王伟'), user(10, 'github'), user(11, 'Ana'), user(12, 'a]b)`c`*d*\\e|<f>'), user(13, 'สมชาย')] }) });
const { hasVisible, labelFor, mentionsMe, toReadable, toStored, withoutEmptyLines } = await it.load('mentions');
const MEMBERS = [...it.state.users.values()];
const person = (id) => it.state.users.get(id);

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

test('name ends where it ends in scripts without spaces between words', () => {
  assert.equal(toStored('@田中さん、@王伟请看 @민수님 @สมชายครับ', {}, MEMBERS), '@[田中](user:7)さん、@[王伟](user:9)请看 @[민수](user:8)님 @[สมชาย](user:13)ครับ');
  assert.equal(toStored('请@田中看，@Maraさん', {}, MEMBERS), '请@[田中](user:7)看，@[Mara](user:3)さん');
  assert.equal(toStored('@田中\u{20000}', {}, MEMBERS), '@[田中](user:7)\u{20000}');
});

test('what stands before the sign is asked', () => {
  for (const text of ['git clone git@github.com:o/r.git', 'https://mastodon.example/@Ana/123', 'x@Ana.example', 'https://a.example/?x=@Ana', 'é@Ana', 'a_@Ana', 'www.a.example/-/@Ana', '@@Ana']) {
    assert.equal(toStored(text, {}, MEMBERS), text);
  }
  for (const before of ['', ' ', '(', '「', '请', 'ש', '，', '"', '*', 'https://a.example/x。', '𠮷']) {
    assert.equal(toStored(`${before}@Ana`, {}, MEMBERS), `${before}@[Ana](user:11)`);
  }
});

test('backslash takes a mention away', () => {
  assert.equal(toStored('\\@Ana and @Ana', {}, MEMBERS), '@Ana and @[Ana](user:11)');
  assert.deepEqual(toReadable('\\@[Ana](user:11)').names, {});
});

test('name with any sign comes back as it was', () => {
  const names = {};
  const label = labelFor(person(12), names);
  const stored = toStored(`hi ${label}!`, names);
  assert.equal(stored, 'hi @[a\\]b)\\`c\\`\\*d\\*\\\\e\\|\\<f\\>](user:12)!');
  assert.equal(toReadable(stored).text, `hi ${label}!`);
  assert.equal(toReadable('@[x]y*](user:99) `@[Ana](user:11)` @[@[Ana](user:11)').text, '@x]y* `@[Ana](user:11)` @[@Ana');
});

test('only empty lines around a text are taken away', () => {
  assert.equal(withoutEmptyLines('\n \t\n  - a\n  - b \n\n'), '  - a\n  - b');
  assert.equal(withoutEmptyLines('    x'), '    x');
  for (const nothing of ['', ' \n', '\u200B', '\u2800', '\u3164', '\uFE0F']) assert.equal(hasVisible(nothing), false);
  for (const some of ['a', '❤️', '字', '👍🏽']) assert.ok(hasVisible(some));
});

test('text without a mention stays as it is', () => {
  for (const text of ['', 'no one', 'a@b.example', '@', '@@', '@nobody']) assert.equal(toStored(text, {}, MEMBERS), text);
});

test('mention of everybody counts as one of me (27)', async () => {
  const page = await signedIn({ session: session({ seq: 5 }) });
  const { ReadMarks } = await page.load('components/read-marks');
  page.document.visibilityState = 'hidden';
  const marks = new ReadMarks(1, { isAtEnd: true, setNew() {} });
  const counts = () => [page.state.rooms.get(1).membership.unread_count, page.state.rooms.get(1).membership.mention_count];
  for (const [id, more] of [[10, { everyone: true }], [11, { mentions: [1] }], [12, { mentions: [2] }]]) marks.came(message(id, more));
  assert.deepEqual(counts(), [3, 2]);
  marks.deleted({ seq: 13, message_id: 10 }, message(10, { everyone: true }));
  marks.edited({ seq: 14, message: message(11) }, message(11, { mentions: [1] }));
  assert.deepEqual(counts(), [2, 0]);
});
