// Where one lands after signing in.

import assert from 'node:assert/strict';
import test from 'node:test';

import { page } from './page.js';

test('only pages of this server are wanted', async () => {
  const { isWanted } = await page().load('wanted');
  for (const path of ['/rooms/5', '/rooms/5/@7', '/rooms/5/7', '/messages/9', '/search?q=a%20b', '/settings', '/settings/people']) assert.ok(isWanted(path), path);
  for (const path of ['', '/', '/signin', '/join/abc', '//evil.example', '//evil.example/rooms/5', '/\\evil.example', 'https://evil.example/rooms/5', '/rooms/x', '/rooms/5/../../api', 'javascript:alert(1)', '/api/session', '/settings/a/b']) assert.ok(!isWanted(path), path);
});

test('what was wanted is kept until it is taken, once', async () => {
  const { noteWanted, takeWanted } = await page().load('wanted');
  noteWanted({ pathname: '/rooms/5', search: '' });
  noteWanted({ pathname: '/join/abc', search: '' });
  assert.equal(takeWanted(), '/rooms/5', 'an entry page is no wish');
  assert.equal(takeWanted(), '');
  noteWanted({ pathname: '/signin', search: '?to=/messages/9' });
  assert.equal(takeWanted(), '/messages/9');
  noteWanted({ pathname: '/signin', search: '?to=//evil.example/' });
  assert.equal(takeWanted(), '');
});
