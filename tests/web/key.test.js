import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { page } from './page.js';

const { isComposing, shortcutOf } = await page().load('key');
const WEB = fileURLToPath(new URL('../../web/', import.meta.url));

test('key belongs to the input method while it composes, as each browser tells it (F6)', () => {
  assert.equal(isComposing({ key: 'Enter', isComposing: true, keyCode: 13 }), true);
  // Safari, for the Enter that confirms the word.
  assert.equal(isComposing({ key: 'Enter', isComposing: false, keyCode: 229 }), true);
  assert.equal(isComposing({ key: 'Enter', isComposing: false, keyCode: 13 }), false);
});

test('shortcut is found by its place on layouts without Latin letters (F9)', () => {
  for (const [key, code, letter] of [
    ['k', 'KeyK', 'k'], ['K', 'KeyK', 'k'], ['л', 'KeyK', 'k'], ['Л', 'KeyK', 'k'], ['κ', 'KeyK', 'k'], ['и', 'KeyB', 'b'], ['ш', 'KeyI', 'i'], ['ל', 'KeyK', 'k'], ['ن', 'KeyK', 'k'], ['لا', 'KeyB', 'b'],
    ['ิ', 'KeyB', 'b'], ['ა', 'KeyA', 'a'], ['ㅏ', 'KeyK', 'k'], ['क', 'KeyK', 'k'],
  ]) assert.equal(shortcutOf({ key, code }), letter, `${key} on ${code}`);
});

test('layout with Latin letters in other places goes by its letters (F9)', () => {
  // Dvorak, French, Turkish: what is printed on the key counts. The signs of Hebrew stay signs.
  for (const [key, code] of [['x', 'KeyB'], ['a', 'KeyQ'], ['ı', 'KeyI'], [',', 'KeyW'], ['/', 'KeyQ'], ['ø', 'Semicolon'], ['Enter', 'Enter'], ['8', 'Digit8']]) assert.equal(shortcutOf({ key, code }), key.toLowerCase());
});

/** All modules of the page with their texts. */
function modules(place = '') {
  return readdirSync(join(WEB, place), { withFileTypes: true }).flatMap((entry) => {
    const path = join(place, entry.name);
    if (entry.isDirectory()) return modules(path);
    return path.endsWith('.js') ? [[path, readFileSync(join(WEB, path), 'utf8')]] : [];
  });
}

/** They listen where nobody types: buttons, messages, pictures. */
const WITHOUT_FIELDS = ['components/crop.js', 'components/format-bar.js', 'components/lightbox.js', 'components/menu.js', 'components/message-menu.js', 'socket.js', 'views/room.js', 'views/settings/css.js'];

test('every module that listens to keys of a field asks whether they are the input method\'s (F6)', () => {
  const listening = modules().filter(([, text]) => /'keydown'/.test(text));
  assert.ok(listening.length > 10);
  for (const [path, text] of listening) {
    if (!WITHOUT_FIELDS.includes(path)) assert.match(text, /isComposing\(event\)/, path);
    assert.doesNotMatch(text, /keyCode|event\.isComposing &&/, path);
  }
});
