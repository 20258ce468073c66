import assert from 'node:assert/strict';
import test from 'node:test';

import { page } from './page.js';

async function ready(options) {
  const it = page(options);
  const api = await it.load('api');
  /** What a request is refused with. */
  const problem = async (...given) => {
    const asked = api.post('/api/rooms').then(() => assert.fail('it was taken'), (found) => found);
    await it.server.asked('POST', '/api/rooms').answer(...given);
    return asked;
  };
  return { ...it, api, problem };
}

test('answer is what the body says, and nothing for no content', async () => {
  const { api, server } = await ready();
  const got = api.get('/api/rooms');
  await server.asked('GET', '/api/rooms').answer(200, [1]);
  assert.deepEqual(await got, [1]);
  const gone = api.remove('/api/rooms/1');
  await server.asked('DELETE', '/api/rooms/1').answer(204);
  assert.equal(await gone, null);
});

test('problem has the fields of the answer', async () => {
  const { api, problem } = await ready();
  const found = await problem(422, { type: 'about:blank', title: 'Unprocessable Content', status: 422, detail: 'name is empty', code: 'invalid', fields: { name: ['is empty'] } });
  assert.ok(found instanceof api.Problem);
  assert.deepEqual([found.status, found.code, found.message, found.fields], [422, 'invalid', 'name is empty', { name: ['is empty'] }]);
});

test('problem has the time to wait and the limit as numbers of the answer, never of its words', async () => {
  const { problem } = await ready();
  const busy = await problem(429, { detail: 'Too many requests: try again in 9 s.', code: 'rate_limited', retry_after_ms: 2500 });
  assert.equal(busy.retryAfterMs, 2500);
  const wordy = await problem(429, { detail: 'Too many requests: try again in 9 s.', code: 'rate_limited' });
  assert.equal(wordy.retryAfterMs, undefined);
  const large = await problem(413, { detail: 'The body is larger than 10485760 bytes.', code: 'too_large', limit: 10485760 });
  assert.deepEqual([large.limit, large.message], [10485760, 'This is too large: it may have 10 MB at most.']);
});

test('problem is said in German to those who read German', async () => {
  const { load, problem } = await ready({ language: 'de-AT' });
  await (await load('texts')).loadTexts();
  assert.equal((await problem(429, { detail: 'Too many requests.', code: 'rate_limited', retry_after_ms: 2500 })).message, 'Zu viel auf einmal. Versuch es in 3 s noch einmal.');
  assert.equal((await problem(503, { detail: 'Busy.', code: 'overloaded', retry_after_ms: 1000 })).message, 'Der Server hat gerade zu viel zu tun. Versuch es gleich noch einmal.');
  assert.equal((await problem(413, { detail: 'x', code: 'too_large', limit: 1572864 })).message, 'Das ist zu groß: höchstens 1,5 MB sind erlaubt.');
});

test('answer that is no JSON, as of a proxy, is a problem with plain words', async () => {
  const { api, problem } = await ready();
  globalThis.fetch = async () => new Response('<html>502</html>', { status: 502 });
  await assert.rejects(api.get('/api/rooms'), { status: 502, message: 'This could not be loaded.' });
  const { message } = await (await ready()).problem(500, { code: 'internal' });
  assert.equal(message, 'The server cannot be reached. Check your connection and try again.');
  assert.ok(problem);
});

test('server that is not reached is a problem of its own', async () => {
  const { api, server } = await ready();
  const asked = assert.rejects(api.get('/api/rooms'), { status: 0, message: 'The server cannot be reached. Check your connection and try again.' });
  await server.asked('GET', '/api/rooms').fail();
  await asked;
});

test('answer that is not the server\'s own has failed, whatever its status says (F1)', async () => {
  const html = { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } };
  const answers = [
    new Response('<!doctype html>', html), new Response('{"rooms":[]}', html), new Response('cut {', { headers: { 'content-type': 'application/json' } }), new Response('null', { headers: { 'content-type': 'application/json' } }),
    new Response('<h1>401</h1>', { ...html, status: 401 }), new Response('{"error":"login"}', { status: 401, headers: { 'content-type': 'application/json' } }), new Response('', { status: 302, headers: { location: 'https://login.example' } }),
    Object.defineProperty(new Response('{}', { headers: { 'content-type': 'application/json' } }), 'redirected', { value: true }),
    Object.defineProperty(new Response(''), 'type', { value: 'opaqueredirect' }),
  ];
  for (const answer of answers) {
    const { api } = await ready();
    let options;
    globalThis.fetch = async (path, given) => {
      options = given;
      return answer;
    };
    await assert.rejects(api.get('/api/rooms'), { status: 502, code: 'intercepted', message: /^Something in front of the server answered in its place/ });
    assert.equal(options.redirect, 'manual');
  }
});

test('what was taken on has no body, and what is asked says the language of the page', async () => {
  const { api } = await ready();
  let options;
  globalThis.fetch = async (path, given) => {
    options = given;
    return new Response(null, { status: 202 });
  };
  assert.equal(await api.post('/api/session/reset', { email: 'ada@example.com' }), null);
  assert.equal(options.headers['accept-language'], 'en');
});

test('status of a proxy that says enough is kept: too large, too much, away', async () => {
  for (const status of [408, 413, 429, 500, 502, 503, 504]) {
    const { api } = await ready();
    globalThis.fetch = async () => new Response('<h1>nginx</h1>', { status, headers: { 'content-type': 'text/html' } });
    await assert.rejects(api.get('/api/rooms'), { status, code: undefined });
  }
});
