import assert from 'node:assert/strict';
import test from 'node:test';

import { page } from './page.js';

const { found, typedMention } = await page().load('components/mention-picker');

test('picker opens behind whatever is not part of a word with the sign (F8)', () => {
  for (const [before, word] of [
    ['@cl', 'cl'], ['hello @Cl', 'Cl'], ['请@', ''], ['我和@王', '王'], ['ש@', ''], ['و@', ''], ['「@', ''], ['（@Cl', 'Cl'], ['，@Cl', 'Cl'], ['한국어@민', '민'], ['ひと＠山田', '山田'], ['＠山田', '山田'], ['@山田　太', '山田　太'], ['@O’Br', 'O’Br'],
    ['(@Cl', 'Cl'], ['**@Cl', 'Cl'], ['line\n@Cl', 'Cl'], ['@Mary Ann Li', 'Mary Ann Li'], ['ไทย@', ''], ['👋@Cl', 'Cl'], ['¿@Cl', 'Cl'],
  ]) {
    const match = typedMention(before);
    assert.equal(match?.word, word, before);
    assert.match(before[match.from], /[@＠]/);
  }
});

test('picker stays shut within addresses and words (F8)', () => {
  for (const before of ['ana@exa', 'a.b@ex', 'x_@y', 'git@git', 'https://camp.example/@an', 'почта@при', 'λόγος@ab', '7@cl', '\\@here', '@Cl ', '@Cl, and', 'é@cl']) assert.equal(typedMention(before), null, before);
});

test('the name itself comes first, also before those who wrote lately (F8)', () => {
  const people = [...Array.from({ length: 40 }, (_, n) => ({ id: n, name: `Anna ${String.fromCharCode(65 + n % 26)}` })), { id: 98, name: 'Ann Bly' }, { id: 99, name: 'Ann' }];
  assert.deepEqual(found(people, 'Ann').slice(0, 3).map(({ id }) => id), [99, 98, 0]);
  assert.deepEqual(found(people, 'ann').length, 42);
  assert.deepEqual(found([{ name: 'Łukasz' }, { name: 'Øyvind' }, { name: 'Strauß' }], 'strauss').map(({ name }) => name), ['Strauß']);
});
