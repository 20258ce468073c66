import assert from 'node:assert/strict';
import test from 'node:test';

import { page } from './page.js';

test('names between colons are found where there is an emoji of that name', async () => {
  const { pieces } = await page().load('custom-emoji');
  const isKnown = (name) => ['parrot', 'b', '+1-ok', '日本', 'größe'].includes(name);
  const shown = (text) => pieces(text, isKnown).map((piece) => piece.name ? `<${piece.name}>` : piece);
  for (const [text, parts] of [
    [':parrot:', ['<parrot>']],
    ['so :parrot::parrot: it is', ['so ', '<parrot>', '<parrot>', ' it is']],
    ['(:+1-ok:, :日本: und :größe:)', ['(', '<+1-ok>', ', ', '<日本>', ' und ', '<größe>', ')']],
    // A colon belongs to one name only, and to none that is not there.
    [':a:b:', [':a', '<b>']],
    [':b:b:', ['<b>', 'b:']],
    ['at 10:30:45 https://x.example:80/:other:', ['at 10:30:45 https://x.example:80/:other:']],
    [':parrot :Parrot: ::', [':parrot :Parrot: ::']],
    ['', []],
    [`:${'x'.repeat(10000)}`, [`:${'x'.repeat(10000)}`]],
  ]) assert.deepEqual(shown(text), parts, text.slice(0, 60));
});

test('own emoji are found by their names among others', async () => {
  const { findEmoji, EMOJI } = await page().load('emoji');
  const own = ['party_parrot', 'ship-it'].map((name) => ({ sign: `:${name}:`, name, words: [], toned: false, url: `/emoji/${name}` }));
  const names = (wanted) => findEmoji(wanted, {}, own).map(({ name }) => name);
  assert.deepEqual([names(':par'), names('parrot'), names('ship'), names('x')], [['party_parrot'], ['party_parrot'], ['ship-it'], []]);
  assert.equal(findEmoji('parrot')[0], EMOJI.find(({ name }) => name === 'parrot'), 'by itself it looks through all');
});
