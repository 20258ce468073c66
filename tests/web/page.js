// The page's modules outside a browser. Run with `node --test tests/web/*.test.js` on Node 18 or later.
//
// Node takes a .js file for a module only where a package.json says so, and `web/` has none: each page gets a copy of the
// modules in a temporary directory that has one. So each also has module state of its own.

import { File } from 'node:buffer';
import { webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const SOURCE = fileURLToPath(new URL('../../web/', import.meta.url));
const RealDate = Date;
const turn = setImmediate;

const root = mkdtempSync(join(tmpdir(), 'campfire-page-'));
writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
process.on('exit', () => rmSync(root, { recursive: true }));

let pages = 0;

/** Copies a module and those that it imports. */
function copy(path, place) {
  const target = join(place, path);
  if (existsSync(target)) return;
  const text = readFileSync(join(SOURCE, path), 'utf8');
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  for (const [, name] of text.matchAll(/'(\.[^']*\.js)'/g)) copy(join(dirname(path), name), place);
}

/** Lets everything happen that waits for no timer and no answer. */
export const settled = () => new Promise((done) => turn(done));

/** Time that passes only when a test says so. */
class Clock {
  constructor(start) {
    this.now = RealDate.parse(start);
    this.timers = new Map();
    this.last = 0;
  }

  set(callback, delay = 0, every = 0, given = []) {
    this.last += 1;
    this.timers.set(this.last, { callback, at: this.now + delay, every, given });
    return this.last;
  }

  /** Passes so many milliseconds; what is due happens in its order. */
  async pass(milliseconds) {
    const end = this.now + milliseconds;
    await settled();
    for (let due = this.next(end); due; due = this.next(end)) {
      const [id, timer] = due;
      this.now = Math.max(this.now, timer.at);
      if (timer.every) timer.at += timer.every;
      else this.timers.delete(id);
      timer.callback(...timer.given);
      await settled();
    }
    this.now = end;
  }

  next(end) {
    return [...this.timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
  }
}

class Storage {
  getItem(key) { return Object.hasOwn(this, key) ? this[key] : null; }

  setItem(key, value) { this[key] = String(value); }

  removeItem(key) { delete this[key]; }
}

/** Takes requests; a test answers them. */
class Server {
  constructor() {
    this.requests = [];
  }

  fetch(path, { method, body }) {
    return new Promise((resolve, reject) => {
      const done = (act) => async (...given) => {
        this.requests.splice(this.requests.indexOf(request), 1);
        act(...given);
        await settled();
      };
      const request = {
        method, path, body: body && JSON.parse(body),
        answer: done((status, value) => resolve(new Response(value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value), { status, headers: { 'content-type': typeof value === 'string' ? 'text/html' : 'application/json' } }))),
        fail: done(() => reject(new TypeError('fetch failed'))),
      };
      this.requests.push(request);
    });
  }

  /** What waits for an answer, as `GET /path`. */
  get waiting() {
    return this.requests.map(({ method, path }) => `${method} ${path}`);
  }

  /** The oldest request for this that waits for an answer. */
  asked(method, path) {
    const found = this.requests.find((request) => request.method === method && request.path === path);
    if (!found) throw new Error(`no ${method} ${path} among ${this.waiting.join(', ') || 'nothing'}`);
    return found;
  }
}

function socketsOf() {
  return class FakeSocket {
    static OPEN = 1;

    static all = [];

    constructor(url, protocol) {
      Object.assign(this, { url, protocol, readyState: 0, sent: [], isClosed: false, isDead: false });
      FakeSocket.all.push(this);
    }

    static get newest() {
      return FakeSocket.all.at(-1);
    }

    /** A ping is answered, unless the test has the connection dead (`isDead`). */
    send(text) {
      const message = JSON.parse(text);
      this.sent.push(message);
      if (message.type === 'ping' && !this.isDead) queueMicrotask(() => this.onmessage?.({ data: JSON.stringify({ type: 'pong', t: message.t ?? null }) }));
    }

    close() {
      this.isClosed = true;
    }

    /** The messages of a type that the page sent. */
    said(type) {
      return this.sent.filter((message) => message.type === type);
    }

    async says(...events) {
      this.readyState = 1;
      for (const event of events) this.onmessage({ data: JSON.stringify(event) });
      await settled();
    }

    async ends(code = 1006, reason = '') {
      this.readyState = 3;
      this.onclose({ code, reason });
      await settled();
    }
  };
}

function uploadsOf() {
  return class FakeUpload extends EventTarget {
    static all = [];

    constructor() {
      super();
      this.upload = new EventTarget();
      this.isAborted = false;
      FakeUpload.all.push(this);
    }

    open(method, path) {
      Object.assign(this, { method, path });
    }

    send(form) {
      this.form = form;
    }

    abort() {
      this.isAborted = true;
    }

    getResponseHeader() {
      return typeof this.body === 'string' ? 'text/html' : 'application/json';
    }

    progress(loaded, total) {
      this.upload.dispatchEvent(Object.assign(new Event('progress'), { loaded, total }));
    }

    async answer(status, body) {
      Object.assign(this, { status, body, responseText: typeof body === 'string' ? body : JSON.stringify(body) });
      this.dispatchEvent(new Event('load'));
      await settled();
    }

    async fail() {
      this.dispatchEvent(new Event('error'));
      await settled();
    }

    /** The names of the files that are on their way or were. */
    static get names() {
      return FakeUpload.all.map(({ form }) => form.get('file').name);
    }
  };
}

/** Node's own copies the files, whose sizes here are made up. */
class Form extends Map {
  append(name, value) {
    this.set(name, value);
  }
}

const put = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

/** A page that nothing is loaded in yet. Its globals take the place of those of the page before. */
export function page({ path = '/', storage = new Storage(), tab = new Storage(), language = 'en', locks = undefined, at = '2026-11-24T08:00:00.000Z' } = {}) {
  pages += 1;
  const place = join(root, String(pages));
  const clock = new Clock(at);
  const server = new Server();
  const sockets = socketsOf();
  const uploads = uploadsOf();
  const view = new EventTarget();
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible', documentElement: {}, title: '' });
  put('Date', class extends RealDate {
    constructor(...given) {
      super(...(given.length ? given : [clock.now]));
    }

    static now() { return clock.now; }
  });
  put('setTimeout', (callback, delay, ...given) => clock.set(callback, delay, 0, given));
  put('setInterval', (callback, every) => clock.set(callback, every, every));
  put('clearTimeout', (id) => clock.timers.delete(id));
  put('clearInterval', (id) => clock.timers.delete(id));
  put('requestAnimationFrame', (callback) => clock.set(callback, 16));
  put('fetch', (...given) => server.fetch(...given));
  put('WebSocket', sockets);
  put('XMLHttpRequest', uploads);
  put('document', page);
  put('location', { protocol: 'http:', host: 'camp.example', origin: 'http://camp.example', pathname: path, search: '' });
  put('navigator', { languages: [language], onLine: true, locks });
  put('localStorage', storage);
  put('sessionStorage', tab);
  put('crypto', webcrypto);
  put('File', File);
  put('FormData', Form);
  for (const name of ['addEventListener', 'removeEventListener', 'dispatchEvent']) put(name, view[name].bind(view));
  // The middle of the jitter.
  Math.random = () => 0.5;
  return {
    clock, server, sockets, uploads, storage, tab, document: page,
    load(name) {
      copy(`${name}.js`, place);
      return import(pathToFileURL(join(place, `${name}.js`)).href);
    },
    /** An event of the window, with what it carries. */
    async happens(type, carried = {}) {
      const event = Object.assign(new Event(type, { cancelable: true }), carried);
      view.dispatchEvent(event);
      await settled();
      return event;
    },
    async shows(visibilityState) {
      page.visibilityState = visibilityState;
      page.dispatchEvent(new Event('visibilitychange'));
      await settled();
    },
  };
}

// ---- what the server would tell ----

export const user = (id, name, more = {}) => ({ id, name, bio: '', role: 'member', status: 'active', avatar_url: null, initials: name.slice(0, 2).toUpperCase(), color: '#1f66a0', ...more });

export const room = (id, more = {}) => ({
  id, name: `Room ${id}`, kind: 'open', creator_id: 1, created_at: '2026-11-01T08:00:00.000Z', updated_at: '2026-11-01T08:00:00.000Z', last_message_id: null, member_count: 3,
  membership: { involvement: 'mentions', unread_count: 0, mention_count: 0, last_read_message_id: null }, ...more,
});

export const message = (id, more = {}) => ({
  id, room_id: 1, creator_id: 2, client_message_id: null, kind: 'text', content: 'hello', html: '<p>hello</p>', created_at: '2026-11-24T08:00:00.000Z', edited_at: null, reply_to_id: null,
  mentions: [], boosts: [], attachment: null, embeds: [], ...more,
});

export const session = (more = {}) => ({
  user: user(1, 'Ada'), account: { name: 'Team' }, rooms: [room(1)], users: [user(1, 'Ada'), user(2, 'Ben'), user(3, 'Cleo')], online: [1], seq: 100,
  limits: { upload_limit: 100 << 20, content_limit: 64 << 10 }, ...more,
});

/** The answer to `/api/sync` of a page that has missed these events. */
export const caughtUp = ({ rooms, online, seq }, events = []) => ({ events, seq, rooms, online });

/** A page on which Ada is signed in; `store` and `live` are there, and the socket is open. */
export async function signedIn({ session: known = session(), ...options } = {}) {
  const made = page(options);
  const store = await made.load('store');
  const live = await made.load('live');
  const socket = await made.load('socket');
  store.begin(known);
  live.start();
  await made.sockets.newest.says({ type: 'hello', user_id: known.user.id, seq: known.seq, heartbeat_s: 30 });
  await made.server.asked('GET', `/api/sync?since=${known.seq}&with=rooms`).answer(200, caughtUp(known));
  return { ...made, store, live, socket, state: store.state };
}
