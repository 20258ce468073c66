import assert from 'node:assert/strict';
import test from 'node:test';

import { message, page } from './page.js';

test('messages that came beyond and were deleted are looked for once, not at every page', async () => {
  const { Timeline } = await page().load('components/timeline');
  // Without elements: only what these methods need.
  const shown = [message(49)];
  const list = { get newest() { return shown.at(-1); }, insert: (one) => shown.push(one) };
  const timeline = Object.assign(Object.create(Timeline.prototype), { list, hasAfter: true, beyond: [], dropped: 0 });
  for (let id = 50; id <= 150; id += 1) timeline.keepBeyond(message(id));
  timeline.beyond = [];
  // The page was asked for before they came, as far as one can tell.
  timeline.hasAfter = false;
  timeline.takeBeyond();
  assert.equal(timeline.hasAfter, true, 'the first of them may be missing');
  // The next page is empty.
  timeline.hasAfter = false;
  timeline.keepBeyond(message(151));
  timeline.takeBeyond();
  assert.equal(timeline.hasAfter, false);
  assert.deepEqual(shown.map(({ id }) => id), [49, 151]);
});
