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

test('what is too long, or is left, is told in characters as people count them (F21)', () => {
  const { charactersOver, charactersLeft, byteLength } = format;
  for (const [unit, count] of [['字', 30000], ['a', 70000], ['é', 40000], ['👨‍👩‍👧‍👦', 4000], ['न', 25000]]) {
    const text = unit.repeat(count);
    const bytes = byteLength(unit);
    const over = byteLength(text) - 65536;
    assert.equal(charactersOver(over, text), Math.ceil(over / bytes), unit);
    assert.equal(charactersLeft(100 * bytes + bytes - 1, unit.repeat(50)), 100, unit);
  }
  assert.equal(charactersOver(24464, '字'.repeat(30000)), 8155);
  assert.equal(charactersOver(1, 'ab👨‍👩‍👧‍👦'), 1);
});

test('text is cut between characters', () => {
  assert.equal(format.cut('👨‍👩‍👧‍👦'.repeat(20), 3), '👨‍👩‍👧‍👦'.repeat(3));
  assert.equal(format.cut('e\u0301e\u0301e\u0301', 2), 'e\u0301e\u0301');
  assert.equal(format.cut('short', 80), 'short');
});

test('time of the last words is short', async () => {
  const { shortTime } = await page({ at }).load('format');
  for (const [date, words] of [['2026-11-24T08:05:00', '8:05 AM'], ['2026-11-23T23:00:00', 'Mon'], ['2026-11-19T12:00:00', 'Thu'], ['2026-10-02T12:00:00', 'Oct 2'], ['2025-11-24T12:00:00', '11/24/25']]) {
    assert.equal(shortTime(new Date(date)).replace(/\u202F/g, ' '), words);
  }
});

test('times are of the time zone in which the computer is now (F30)', async () => {
  const before = process.env.TZ;
  try {
    process.env.TZ = 'Europe/Berlin';
    const open = page({ at });
    const { timeOfDay, forgetZone } = await open.load('format');
    const noon = new Date('2026-11-24T12:00:00.000Z');
    const shown = () => timeOfDay(noon).replace(/\u202F/g, ' ');
    assert.equal(shown(), '1:00 PM');
    process.env.TZ = 'America/New_York';
    assert.equal(shown(), '1:00 PM');
    forgetZone();
    assert.equal(shown(), '7:00 AM');
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});

test('another time zone is told when one looks, with the day it has (F30)', async () => {
  const before = process.env.TZ;
  try {
    process.env.TZ = 'Asia/Tokyo';
    const open = page({ at });
    const { watch } = await open.load('store');
    await open.load('day');
    const told = [];
    watch(['zone', 'day'], (topics) => told.push(...topics));
    await open.shows('visible');
    assert.deepEqual(told, []);
    process.env.TZ = 'America/Los_Angeles';
    await open.shows('visible');
    assert.deepEqual(told, ['zone', 'day']);
    await open.clock.pass(60000);
    assert.deepEqual(told, ['zone', 'day']);
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});
