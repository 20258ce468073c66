import assert from 'node:assert/strict';
import test from 'node:test';

import { page, settled } from './page.js';

const at = '2026-11-24T12:00:00.000Z';
const it = page({ at });
const format = await it.load('format');

test('size is said in the unit that people use', () => {
  for (const [bytes, words] of [[0, '0 bytes'], [1, '1 byte'], [1023, '1,023 bytes'], [1024, '1 kB'], [131072, '128 kB'], [2.34 * 2 ** 20, '2.3 MB'], [100 * 2 ** 20, '100 MB'], [5 * 2 ** 30, '5 GB'], [5000 * 2 ** 30, '5,000 GB']]) assert.equal(format.sizeText(bytes), words);
});

test('size is said in the language of the page', async () => {
  const german = await page({ language: 'de' }).load('format');
  assert.equal(german.sizeText(2.34 * 2 ** 20), '2,3 MB');
});

test('length of a text is counted in bytes, as the server counts it', () => {
  for (const [text, bytes] of [['', 0], ['abc', 3], ['é', 2], ['語', 3], ['😀', 4], ['\ud800', 3]]) assert.equal(format.byteLength(text), bytes);
});

test('day is today, yesterday, or has its name', () => {
  const label = (text) => format.dayLabel(new Date(text));
  assert.equal(label('2026-11-24T03:00:00'), 'Today');
  assert.equal(label('2026-11-23T23:59:59'), 'Yesterday');
  assert.equal(label('2026-11-22T12:00:00'), 'Sunday, November 22');
  assert.equal(label('2025-11-24T12:00:00'), 'November 24, 2025');
});

test('names are sorted without case and accents, and numbers by their value', () => {
  assert.deepEqual(['Zoe', 'Émile', 'room 10', 'adam', 'Room 9', 'Emma'].sort(format.compareNames), ['adam', 'Émile', 'Emma', 'Room 9', 'room 10', 'Zoe']);
});

test('message of a few emoji looks like one before the server says so', () => {
  for (const text of ['👍', '👍🏽', '🎉🎉 🎉', '👨‍👩‍👧‍👦', '🇩🇪🇫🇷', '❤️', '☝🏽', '1️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏳️‍🌈', '🔥'.repeat(12)]) assert.equal(format.looksEmojiOnly(text), true, text);
  for (const text of ['', 'a', '👍 ok', '1', '🔥'.repeat(13), '👍'.repeat(200), ':)', '©', '❤', '🇩', '👍\n👍']) assert.equal(format.looksEmojiOnly(text), false, text);
});

test('day that begins is told once, after midnight', async () => {
  const open = page({ at: new Date(2026, 10, 24, 23, 58, 30).toISOString() });
  const { watch } = await open.load('store');
  await open.load('day');
  let told = 0;
  watch(['day'], () => { told += 1; });
  await open.clock.pass(60000);
  assert.equal(told, 0);
  await open.clock.pass(60000);
  assert.equal(told, 1);
  await open.clock.pass(3600000);
  assert.equal(told, 1);
});

test('day that began while the computer slept is told when one looks', async () => {
  const open = page({ at: new Date(2026, 10, 24, 22, 0).toISOString() });
  const { watch } = await open.load('store');
  await open.load('day');
  let told = 0;
  watch(['day'], () => { told += 1; });
  open.clock.now += 8 * 3600000;
  await open.shows('visible');
  await settled();
  assert.equal(told, 1);
});
