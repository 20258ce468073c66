import assert from 'node:assert/strict';
import test from 'node:test';

import { signedIn } from './page.js';

const it = await signedIn();
const { isPicture, lastsText, sources } = await it.load('components/attachment');

const file = (more) => ({ url: '/files/1/a', thumbnail_url: '/files/1/thumbnail', content_type: 'image/webp', ...more });

test('thumbnail stands for a picture unless it moves', () => {
  assert.deepEqual(sources(file({}), false), ['/files/1/thumbnail', '/files/1/a'], 'a photo in WebP is not loaded whole');
  for (const type of ['image/webp', 'image/png', 'image/gif']) {
    const moving = file({ content_type: type, is_animated: true });
    assert.deepEqual(sources(moving, false), ['/files/1/a'], `${type} moves`);
    assert.deepEqual(sources(moving, true), ['/files/1/thumbnail', '/files/1/a'], `${type} stands still where motion is unwanted`);
  }
  assert.deepEqual(sources(file({ content_type: 'image/gif' }), false), ['/files/1/a'], 'from before the server told');
  assert.deepEqual(sources(file({ content_type: 'image/avif', thumbnail_url: null }), true), ['/files/1/a']);
});

test('pictures are what browsers show', () => {
  const shown = ['png', 'jpeg', 'gif', 'webp', 'avif', 'bmp', 'x-icon', 'jxl'].filter((kind) => isPicture({ content_type: `image/${kind}` }));
  assert.equal(shown.length, 8);
  assert.deepEqual([isPicture({ content_type: 'text/html' }), isPicture(null)], [false, false]);
});

test('length of a sound is told in minutes', () => {
  assert.deepEqual([null, 0.2, 7.4, 59.6, 754, 3723].map(lastsText), ['', '0:01', '0:07', '1:00', '12:34', '1:02:03']);
});
