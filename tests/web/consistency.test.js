// B5: whatever happens, and in whatever order answers and events come: in the end the page has what a freshly loaded one has.

import assert from 'node:assert/strict';
import test from 'node:test';

import { Model } from './model.js';
import { page, settled } from './page.js';
import { View, partsOf } from './view.js';

/** Together more than 10,000 events. */
const SEEDS = 100;
const STEPS = 400;
const ME = 1;
/** By then a page that asks without an end would have been noticed. */
const MOST_TURNS = 20000;

/** Numbers between 0 and 1, the same for the same seed. */
function randomOf(seed) {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), state | 1) + 0x6d2b79f5) | 0;
    const mixed = state ^ (state + Math.imul(state ^ (state >>> 7), state | 61));
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

class World {
  constructor(seed) {
    this.random = randomOf(seed);
    this.model = new Model();
    this.wires = new Map();
    this.backups = [];
  }

  async begin() {
    this.page = page();
    this.store = await this.page.load('store');
    this.live = await this.page.load('live');
    const { noteSignedIn } = await this.page.load('signed-in');
    noteSignedIn(ME);
    this.parts = await partsOf(this.page);
    this.store.begin(this.model.session());
    this.store.watch(['rooms'], () => this.roomsChanged());
    this.live.listen((event) => {
      if (event.isOther) this.parts.memory.clear();
      this.view?.feed.heard(event);
    });
    this.look(1);
    this.live.start();
  }

  int(most) { return Math.floor(this.random() * most); }

  any(list) { return list[this.int(list.length)]; }

  is(chance) { return this.random() < chance; }

  look(roomId) {
    this.view?.close();
    this.view = null;
    if (!this.store.state.rooms.has(roomId)) return;
    this.view = new View(this.parts, roomId);
    this.view.open();
  }

  roomsChanged() {
    if (!this.view) return;
    if (this.store.state.rooms.has(this.view.roomId)) return this.view.mark();
    this.view.close();
    this.view = null;
  }

  // ---- the wires between the page and the server ----

  /** Joins new sockets of the page to the server. */
  connect() {
    for (const socket of this.page.sockets.all) {
      if (this.wires.has(socket) || socket.isClosed || socket.readyState === 3) continue;
      const wire = { made: this.model.connect(socket), said: [] };
      socket.send = (text) => wire.said.push(text);
      this.wires.set(socket, wire);
    }
    for (const [socket, wire] of this.wires) {
      if (!socket.isClosed && socket.readyState !== 3) continue;
      this.model.disconnect(wire.made);
      this.wires.delete(socket);
    }
  }

  async cut() {
    for (const socket of [...this.wires.keys()]) await socket.ends();
    this.connect();
  }

  /** The server takes the next word of the page. */
  hear(wire) {
    if (wire.said.length) this.model.hears(wire.made, wire.said.shift());
  }

  /** The page takes the next frame. */
  async deliver(socket, wire) {
    if (wire.made.frames.length) await socket.says(wire.made.frames.shift());
  }

  /** The server works out an answer, which is delivered later. */
  compute(request, mayFail) {
    if (mayFail && this.is(0.05)) request.held = () => request.fail();
    else if (mayFail && this.is(0.05)) request.held = () => request.answer(503, { code: 'overloaded', detail: 'Later.', retry_after_ms: 700 });
    else {
      const [status, body] = this.model.answer(request);
      request.held = () => request.answer(status, body);
    }
  }

  /** One of the things that are under way goes on. */
  async goOn(mayFail) {
    this.connect();
    const { requests } = this.page.server;
    const ways = [];
    for (const request of requests) ways.push(request.held ? request.held : () => this.compute(request, mayFail));
    for (const [socket, wire] of this.wires) {
      if (wire.said.length) ways.push(() => this.hear(wire));
      if (wire.made.frames.length) ways.push(() => this.deliver(socket, wire), () => this.deliver(socket, wire));
    }
    if (!ways.length) return false;
    await this.any(ways)();
    return true;
  }

  // ---- what happens ----

  someRoom() { return this.any([...this.model.rooms.values()]).facts.id; }

  someMessage(id) { return this.any([...this.model.rooms.get(id).messages.keys()].slice(-12)); }

  happen() {
    const { model } = this;
    const id = this.someRoom();
    const { facts, isMine } = model.rooms.get(id);
    const said = this.someMessage(id);
    const mentions = this.is(0.3) ? [ME] : [];
    const acts = [
      [8, () => model.post(id, this.any([2, 3]), mentions, this.is(0.1))],
      [1, () => isMine && model.post(id, ME, [])],
      [3, () => said && model.rooms.get(id).messages.get(said).creator_id !== ME && model.edit(id, said, mentions)],
      // My other devices are not told when I take back what I said elsewhere, which may change the order of direct rooms.
      [3, () => said && (facts.kind !== 'direct' || model.rooms.get(id).messages.get(said).creator_id !== ME) && model.remove(id, said)],
      [1, () => said && model.boost(id, said)],
      [2, () => isMine && said && model.read(id, said)],
      [1, () => isMine && model.involve(id, this.any(['mentions', 'everything', 'nothing', 'invisible']))],
      [1, () => facts.name && model.rename(id)],
      [0.3, () => model.rooms.size < 8 && model.make()],
      [0.3, () => facts.kind !== 'direct' && model.rooms.size > 3 && (isMine && this.is(0.7) ? model.leave(id) : this.is(0.3) && model.end(id))],
      [1, () => !isMine && model.enter(id)],
      [2, () => model.changeUser(this.any([...model.users.keys()].filter((one) => one !== ME)), { name: `Name ${model.seq}`, status: this.is(0.2) ? 'deactivated' : 'active' })],
      [0.3, () => model.changeUser(10 + model.users.size, {})],
      [0.3, () => model.changeAccount()],
      [1, () => model.come(2, this.is(0.5))],
      [0.05, () => model.prune()],
      [0.1, () => this.backups.push(model.backup())],
    ];
    let place = this.random() * acts.reduce((sum, [weight]) => sum + weight, 0);
    acts.find(([weight]) => (place -= weight) < 0)[1]();
  }

  async user() {
    const { view } = this;
    const ids = [...this.store.state.rooms.keys()];
    const acts = [
      () => ids.length && this.look(this.any(ids)),
      () => ids.length && this.look(this.any(ids)),
      () => view?.scroll(this.is(0.6)),
      () => void (view?.feed.isLoaded && view.page()),
      () => void (view?.feed.isLoaded && view.timeline.all.length && view.feed.load(this.any(view.timeline.all).id)),
      () => void (view?.feed.isLoaded && view.newest()),
      () => this.page.shows(this.page.document.visibilityState === 'visible' ? 'hidden' : 'visible'),
      () => this.page.clock.pass(this.any([20, 300, 1000, 6000])),
      () => this.page.clock.pass(this.any([20, 300])),
      () => this.is(0.6) && this.cut(),
      async () => {
        if (this.is(0.7)) return;
        await this.page.happens('pagehide', { persisted: true });
        this.connect();
        for (let turns = this.int(20); turns > 0; turns -= 1) this.happen();
        await this.page.happens('pageshow', { persisted: true });
      },
      () => this.is(0.3) && [...this.wires.values()].forEach(({ made }) => this.model.overflow(made)),
      async () => {
        if (!this.backups.length || !this.is(0.2)) return;
        if (this.is(0.5)) this.model.restart();
        else this.model.restore(this.any(this.backups));
        for (const socket of [...this.wires.keys()]) await socket.ends(1001, '{"retry_after_ms":100}');
        this.wires.clear();
      },
    ];
    await this.any(acts)();
  }

  /** Whether nothing is under way but the page's looking whether the connection is alive. */
  isIdle() {
    const isLooking = ({ said, made }) => said.every((text) => JSON.parse(text).type === 'ping') && made.frames.every(({ type }) => type === 'pong');
    return !this.page.server.requests.length && [...this.wires.values()].every(isLooking);
  }

  /** Everything that is under way comes to its end. */
  async settle() {
    await this.page.shows('visible');
    for (let quiet = 0, turns = 0; quiet < 30; turns += 1) {
      assert.ok(turns < MOST_TURNS, `it never ends: ${this.page.server.waiting}`);
      const isIdle = this.isIdle();
      if (await this.goOn(false)) quiet = isIdle ? quiet : 0;
      else {
        await this.page.clock.pass(1000);
        this.connect();
        quiet = this.isIdle() ? quiet + 1 : 0;
      }
      if (this.view?.hasFailed) {
        this.view.hasFailed();
        this.view.hasFailed = null;
      }
    }
    await settled();
  }
}

/** What the page shows, as far as a freshly loaded page shows the same. */
function shown({ me, account, users, rooms, online }, open) {
  const room = ({ last_message_id: last, membership, ...facts }) => ({
    ...facts, // Direct rooms in the list are ordered by it.
    last_message_id: (facts.kind === 'direct' && membership.involvement !== 'invisible') || facts.id === open ? last : undefined,
    involvement: membership.involvement, unread: membership.unread_count, mentions: membership.mention_count,
    // Where nothing is unread it does not matter how far one has read.
    read: membership.unread_count ? membership.last_read_message_id : undefined,
  });
  const byId = (a, b) => a.id - b.id;
  return JSON.parse(JSON.stringify({ me, account, users: [...users].sort(byId), rooms: [...rooms].map(room).sort(byId), online: [...online].sort() }));
}

for (let seed = 1; seed <= SEEDS; seed += 1) {
  test(`page that has seen ${STEPS} steps in any order is as if freshly loaded, seed ${seed}`, async () => {
    const world = new World(seed);
    await world.begin();
    for (let step = 0; step < STEPS; step += 1) {
      if (world.is(0.6)) world.happen();
      if (world.is(0.15)) await world.user();
      for (let turns = world.int(5); turns > 0; turns -= 1) await world.goOn(true);
    }
    await world.settle();
    const { model, view, store: { state } } = world;
    assert.equal(state.connected, true);
    const fresh = model.session();
    const open = view?.roomId;
    assert.deepEqual(shown({ ...state, users: state.users.values(), rooms: state.rooms.values() }, open), shown({ ...fresh, me: fresh.user }, open));
    assert.equal(state.history, model.history);
    if (!view) return;
    const truth = [...model.rooms.get(open).messages.values()].sort((a, b) => a.id - b.id);
    const { all, hasBefore, hasAfter } = view.timeline;
    const first = hasBefore ? all[0]?.id : 0;
    const last = hasAfter ? all.at(-1)?.id : Infinity;
    assert.deepEqual(all, truth.filter(({ id }) => id >= first && id <= last));
  });
}
