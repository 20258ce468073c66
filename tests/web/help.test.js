import assert from 'node:assert/strict';
import test from 'node:test';

import { page } from './page.js';

const { load } = page();
const { whereIs } = await load('here');
const { wayToAllow, wayToInstall } = await load('views/settings/help');

const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/';
const AGENTS = [
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1', 5, 'safari', 'ios', 'ios', 'ios'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1', 5, 'chrome', 'ios', 'ios', 'ios'],
  [`${MAC}605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15`, 5, 'safari', 'ios', 'ios', 'ios'],
  [`${MAC}605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15`, 0, 'safari', 'mac', 'safari', 'safari'],
  [`${MAC}537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36`, 0, 'chrome', 'mac', 'desktop', 'desktop'],
  ['Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36', 5, 'chrome', 'android', 'android', 'android'],
  ['Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36', 5, 'samsung', 'android', 'samsung', 'android'],
  ['Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0', 5, 'firefox', 'android', 'android', 'android'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0', 10, 'edge', 'windows', 'desktop', 'desktop'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0', 0, 'firefox', 'linux', 'firefox', 'firefox'],
];

test('help is that of the browser and the system (part 5)', () => {
  for (const [agent, touch, browser, system, allow, install] of AGENTS) {
    const place = whereIs(agent, touch);
    assert.deepEqual(place, { browser, system }, agent);
    assert.equal(wayToAllow(place), allow, agent);
    assert.equal(wayToInstall(place), install, agent);
  }
  assert.equal(wayToAllow({ browser: 'chrome', system: 'android' }, true), 'app');
});
