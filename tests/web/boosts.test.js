import assert from 'node:assert/strict';
import test from 'node:test';

import { message, signedIn } from './page.js';

const boost = (id, userId, content) => ({ id, user_id: userId, content });

test('same emoji with and without its sign is one pill, which takes mine back (F14)', async () => {
  const it = await signedIn();
  const { groups, toggleBoost } = await it.load('components/boosts');
  const given = message(9, { boosts: [boost(1, 2, '❤'), boost(2, 3, '❤️'), boost(3, 1, '❤︎'), boost(4, 2, '👍️'), boost(5, 3, '👍')] });
  assert.deepEqual(groups(given.boosts).map(([content, all]) => [content, all.length]), [['❤', 3], ['👍️', 2]]);
  const done = toggleBoost(given, '❤️', () => {});
  await it.server.asked('DELETE', '/api/boosts/3').answer(204);
  await done;
  assert.deepEqual(given.boosts.map(({ id }) => id), [1, 2, 4, 5]);
});
