// Both languages have the same texts, of the same kinds.

import assert from 'node:assert/strict';
import test from 'node:test';

import { page } from './page.js';

const { load } = page();

/** The paths of all texts, with what each is: a text, a function of so many values, a list of so many lines. */
function shape(words, place = '') {
  return Object.entries(words).flatMap(([key, value]) => {
    const path = `${place}${key}`;
    if (typeof value === 'function') return [`${path}(${value.length})`];
    if (Array.isArray(value)) return [`${path}[${value.length}]`];
    return typeof value === 'object' ? shape(value, `${path}.`) : [path];
  }).sort();
}

/** German may need no words of its own for these: they are as in English, or their English is the server's. */
const ONLY = new Set(['errors.of(1)', 'errors.reason(1)']);

for (const [english, german, section] of [['texts/en', 'texts/de', ['en', 'de']], ['texts/settings-en', 'texts/settings-de', ['words', 'words']], ['texts/help-en', 'texts/help-de', ['words', 'words']]]) {
  test(`${german} has the same texts as ${english}`, async () => {
    const [one, other] = [(await load(english))[section[0]], (await load(german))[section[1]]];
    const without = (found) => shape(found).filter((path) => !ONLY.has(path)).map((path) => path.replace(/\(\d+\)$/, '()'));
    assert.deepEqual(without(other), without(one));
  });
}

test('steps of the help have as many lines in both languages, with the name of the app', async () => {
  const [{ words: en }, { words: de }] = [await load('texts/help-en'), await load('texts/help-de')];
  for (const group of ['allow', 'system', 'installs']) {
    for (const [key, lines] of Object.entries(en.help[group])) {
      const read = (words) => (typeof words === 'function' ? words('Lighthouse') : words);
      const [one, other] = [read(lines), read(de.help[group][key])];
      assert.equal(one.length, other.length, `${group}.${key}`);
      assert.equal(one.join().includes('Lighthouse'), other.join().includes('Lighthouse'), `${group}.${key}`);
    }
  }
});
