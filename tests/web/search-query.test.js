import assert from 'node:assert/strict';
import test from 'node:test';

import { page } from './page.js';

const at = '2026-11-24T12:00:00.000Z';
const { parseQuery, writeQuery, refined, dayBefore, momentsOf } = await page({ at }).load('search-query');

test('filters are told from words', () => {
  assert.deepEqual(parseQuery('big in:"All Talk" plan from:@ana HAS:File before:2026-11-24 after:2026-11-01 on:2026-11-03 x:y "in:here"'), {
    words: 'big plan x:y "in:here"',
    filters: [
      { key: 'in', value: 'All Talk' }, { key: 'from', value: 'ana' }, { key: 'has', value: 'File' },
      { key: 'before', value: '2026-11-24' }, { key: 'after', value: '2026-11-01' }, { key: 'on', value: '2026-11-03' },
    ],
  });
});

test('filter without a value that the server knows is a word', () => {
  for (const word of ['in:', 'has:nothing', 'has:#file', 'before:yesterday', 'on:24', 'after:2026-13-01', 'on:2026-02-30', ':x', 'at:noon', 'in']) {
    assert.deepEqual(parseQuery(word), { words: word, filters: [] }, word);
  }
});

test('day in a leap year is a day', () => {
  assert.deepEqual(parseQuery('on:2028-02-29').filters, [{ key: 'on', value: '2028-02-29' }]);
  assert.deepEqual(parseQuery('on:2026-02-29').filters, []);
});

test('sign before a name belongs to its own filter only', () => {
  assert.deepEqual(parseQuery('in:##ops from:@@ana in:"# side" in:@ops').filters.map(({ value }) => value), ['ops', 'ana', ' side', '@ops']);
});

test('quote that is not closed holds the rest', () => {
  assert.deepEqual(parseQuery('in:"All Talk coffee'), { words: '', filters: [{ key: 'in', value: 'All Talk coffee' }] });
  assert.deepEqual(parseQuery('coffee "in:here and'), { words: 'coffee "in:here and', filters: [] });
});

test('blank query has nothing in it', () => {
  for (const text of ['', '   ', '\u00A0\u3000\n']) assert.deepEqual(parseQuery(text), { words: '', filters: [] });
});

test('names of every script are values', () => {
  assert.deepEqual(parseQuery('from:Łukasz in:"प्रोजेक्ट समूह" from:王小明 in:مرحبا').filters.map(({ value }) => value), ['Łukasz', 'प्रोजेक्ट समूह', '王小明', 'مرحبا']);
});

test('written query reads as the same again', () => {
  for (const query of [
    { words: 'two words', filters: [] },
    { words: '"a phrase" and', filters: [{ key: 'in', value: 'All Talk' }, { key: 'from', value: 'ana' }] },
    { words: '', filters: [{ key: 'has', value: 'image' }, { key: 'on', value: '2026-11-24' }] },
  ]) assert.deepEqual(parseQuery(writeQuery(query)), query);
});

test('quote in a name of a room does not swallow the words after it', () => {
  const text = writeQuery({ words: 'coffee', filters: [{ key: 'in', value: 'say"hi' }, { key: 'in', value: 'the "big" one' }] });
  assert.equal(text, 'in:sayhi in:"the big one" coffee');
  assert.equal(parseQuery(text).words, 'coffee');
});

test('refined query has other filters of those keys and keeps the rest', () => {
  const text = 'in:ops after:2026-11-01 coffee';
  assert.equal(refined(text, ['after', 'before', 'on'], [{ key: 'on', value: '2026-11-20' }]), 'in:ops on:2026-11-20 coffee');
  assert.equal(refined(text, ['in'], []), 'after:2026-11-01 coffee');
  assert.equal(refined('coffee', ['in'], [{ key: 'in', value: 'All Talk' }]), 'in:"All Talk" coffee');
});

test('day so many days ago crosses months and years', () => {
  assert.equal(dayBefore(0), '2026-11-24');
  assert.equal(dayBefore(30), '2026-10-25');
  assert.equal(dayBefore(365), '2025-11-24');
});

test('days are days of this device, also where one has 25 hours (28)', () => {
  const before = process.env.TZ;
  const moments = (text) => momentsOf(parseQuery(text).filters);
  process.env.TZ = 'America/New_York';
  assert.deepEqual(moments('on:2026-11-01'), { from: '2026-11-01T04:00:00.000Z', until: '2026-11-02T05:00:00.000Z' });
  assert.deepEqual(moments('after:2026-11-24 before:2026-11-30 x'), { from: '2026-11-25T05:00:00.000Z', until: '2026-11-30T05:00:00.000Z' });
  process.env.TZ = 'Pacific/Auckland';
  assert.deepEqual(moments('before:2026-11-24 before:2026-11-20 after:2026-11-01 after:2026-10-01'), { from: '2026-11-01T11:00:00.000Z', until: '2026-11-19T11:00:00.000Z' });
  assert.deepEqual(moments('coffee in:kitchen'), { from: undefined, until: undefined });
  if (before === undefined) delete process.env.TZ;
  else process.env.TZ = before;
});

test('quotes of all languages are quotes, and apostrophes are not', () => {
  for (const text of ['“one two”', '„one two“', '«one two»', '»one two«', '‹one two›', '‚one two‘', '‘one two’', '「one two」', '＂one two＂']) {
    assert.deepEqual(parseQuery(`big ${text} from:ana`), { words: 'big "one two"', filters: [{ key: 'from', value: 'ana' }] }, text);
  }
  assert.deepEqual(parseQuery('in:„All Talk“ “in:here”'), { words: '"in:here"', filters: [{ key: 'in', value: 'All Talk' }] });
  assert.equal(parseQuery('the boys’ room ’n’ צה"ל two').words, 'the boys’ room ’n’ צה״ל two');
});
