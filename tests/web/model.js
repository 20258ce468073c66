// A small server that keeps the truth, for tests of what a page makes of its answers and events. It numbers events as the
// server does (a message's id is the number of its creation), and tells a socket what it would: frames of rooms that it
// has joined, `unread` and the like for others.

import { message, room as roomOf, user as userOf } from './page.js';

const ME = 1;
const PAGE = 50;
/** So many events are replayed to a socket that joins, or sent by `/api/sync`. */
const MOST = 120;

const copy = (value) => structuredClone(value);

export class Model {
  constructor() {
    this.history = 'first';
    /** The names of the history, each with the last event before it. */
    this.epochs = [['first', 0]];
    this.seq = 100;
    this.pruned = 0;
    this.account = { name: 'Team' };
    this.users = new Map([1, 2, 3].map((id) => [id, userOf(id, `User ${id}`)]));
    this.online = new Set([ME]);
    this.rooms = new Map();
    this.events = [];
    this.sockets = [];
    this.starts = 0;
    for (const id of [1, 2, 3]) this.putRoom(id, 'open');
    this.putRoom(4, 'direct', { name: null, member_ids: [1, 2] });
  }

  putRoom(id, kind, more = {}) {
    this.rooms.set(id, { facts: { ...roomOf(id), kind, membership: undefined, ...more }, isMine: true, involvement: kind === 'direct' ? 'everything' : 'mentions', read: 0, messages: new Map() });
  }

  // ---- what it answers ----

  get mine() {
    return [...this.rooms.values()].filter(({ isMine }) => isMine);
  }

  view(found) {
    const { facts, messages } = found;
    const active = [...this.users.values()].filter(({ status }) => status === 'active').length;
    return { ...copy(facts), last_message_id: Math.max(0, ...messages.keys()) || null, member_count: facts.kind === 'open' ? active : facts.member_count };
  }

  membership({ messages, involvement, read }) {
    const unread = involvement === 'invisible' ? [] : [...messages.values()].filter(({ id }) => id > read);
    return { involvement, unread_count: unread.length, mention_count: unread.filter(isForMe).length, last_read_message_id: read || null };
  }

  roomViews() {
    return this.mine.map((found) => ({ ...this.view(found), membership: this.membership(found) }));
  }

  session() {
    const users = copy([...this.users.values()]);
    return { user: users.find(({ id }) => id === ME), account: copy(this.account), rooms: this.roomViews(), users, online: [...this.online], seq: this.seq, history: this.history };
  }

  /** `[status, body]` for a request, as things are now. */
  answer({ method, path, body }) {
    const { pathname, searchParams } = new URL(path, 'http://camp.example');
    const [, , kind, id, more] = pathname.split('/');
    const found = this.rooms.get(Number(id));
    if (kind === 'session') return [200, this.session()];
    if (kind === 'sync') return this.sync(Number(searchParams.get('since')), searchParams.get('history'));
    if (kind === 'users') return this.users.has(Number(id)) ? [200, copy(this.users.get(Number(id)))] : [404, { code: 'not_found', detail: 'No.' }];
    if (!found?.isMine) return [404, { code: 'not_found', detail: 'No.' }];
    if (more === 'messages') return [200, this.page(found, searchParams)];
    if (more === 'read' && method === 'POST') return this.read(Number(id), body.message_id), [204];
    return [200, { ...this.view(found), membership: this.membership(found) }];
  }

  sync(since, history) {
    const place = this.epochs.findIndex(([name]) => name === history);
    const is = place >= 0 && (place === this.epochs.length - 1 || since <= this.epochs[place + 1][1]);
    if (!is || since < this.pruned || since > this.seq) return [410, { code: 'gone', detail: 'Too old.' }];
    const events = this.events.filter((event) => event.seq > since && this.isVisible(event)).map((event) => this.replayed(event)).filter(Boolean);
    if (events.length > MOST) return [200, { events: events.slice(0, MOST), seq: events[MOST - 1].seq, history: this.history }];
    return [200, { events, seq: this.seq, history: this.history, rooms: this.roomViews(), online: [...this.online] }];
  }

  page({ messages }, query) {
    const all = [...messages.values()].sort((a, b) => a.id - b.id);
    let [from, to] = [Math.max(0, all.length - PAGE), all.length];
    const around = Number(query.get('around'));
    const before = Number(query.get('before'));
    if (around) {
      const place = all.filter(({ id }) => id < around).length;
      [from, to] = [Math.max(0, place - PAGE / 2), Math.min(all.length, place + PAGE / 2)];
    } else if (before) {
      to = all.filter(({ id }) => id < before).length;
      from = Math.max(0, to - PAGE);
    }
    return { messages: copy(all.slice(from, to)), has_before: from > 0, has_after: to < all.length };
  }

  // ---- sockets ----

  connect(socket) {
    const made = { socket, joined: new Set(), frames: [] };
    this.sockets.push(made);
    made.frames.push({ type: 'hello', user_id: ME, seq: this.seq, history: this.history, heartbeat_s: 30 });
    return made;
  }

  disconnect(made) {
    this.sockets = this.sockets.filter((other) => other !== made);
  }

  hears(made, text) {
    const said = JSON.parse(text);
    const found = this.rooms.get(said.room_id);
    if (said.type === 'ping') made.frames.push({ type: 'pong', t: said.t ?? null });
    if (said.type === 'leave_room') made.joined.delete(said.room_id);
    if (said.type === 'read' && found?.isMine) this.read(said.room_id, said.message_id);
    if (said.type !== 'join_room' || !found?.isMine) return;
    made.joined.add(said.room_id);
    made.frames.push({ type: 'joined', room_id: said.room_id, seq: this.seq, present: [...this.online].filter((id) => id === ME || found.facts.member_ids?.includes(id)) });
    const created = [...found.messages.values()].filter(({ id }) => id > said.since).map((item) => ({ type: 'message.created', seq: item.id, message: item }));
    const others = this.events.filter((event) => event.of === said.room_id && event.seq > said.since && event.type !== 'message.created').map((event) => this.replayed(event)).filter(Boolean);
    const missed = [...created, ...others].sort((a, b) => a.seq - b.seq);
    if (said.since < this.pruned || said.since > this.seq || missed.length > MOST) made.frames.push({ type: 'resync', seq: this.seq });
    else made.frames.push(...missed.map(copy));
  }

  /** A socket that did not take its frames gets `resync` in their place; answers to it stay. */
  overflow(made) {
    const answers = made.frames.filter(({ type }) => ['hello', 'joined', 'pong'].includes(type));
    made.frames.splice(0, made.frames.length, ...answers, { type: 'resync', seq: this.seq });
  }

  tell(event, isFor = () => true) {
    for (const made of this.sockets) if (isFor(made)) made.frames.push(copy(event));
  }

  record(event, room) {
    this.seq += 1;
    const made = { type: event.type, seq: this.seq, ...event };
    this.events.push({ ...made, of: room });
    return made;
  }

  isVisible({ of }) {
    return of === undefined || Boolean(this.rooms.get(of)?.isMine);
  }

  /** An event as the history has it: a message's creation and its changes with its present text, none if it is gone. */
  replayed({ of, ...event }) {
    if (event.type !== 'message.created' && event.type !== 'message.updated') return copy(event);
    const now = this.rooms.get(of)?.messages.get(event.message.id);
    return now && { ...event, message: copy(now) };
  }

  toRoom(id, event, elsewhere) {
    const found = this.rooms.get(id);
    const made = this.record(event, id);
    if (!found.isMine) return made;
    this.tell(made, ({ joined }) => joined.has(id));
    if (found.involvement !== 'invisible' && elsewhere) this.tell({ ...elsewhere, room_id: id, message_id: elsewhere.message_id ?? made.seq }, ({ joined }) => !joined.has(id));
    return made;
  }

  // ---- what happens ----

  post(id, author, mentions, everyone = false) {
    const found = this.rooms.get(id);
    const seq = this.seq + 1;
    const made = message(seq, { room_id: id, creator_id: author, content: `said ${seq} by ${author} after start ${this.starts}`, mentions, everyone });
    found.messages.set(seq, made);
    if (author === ME) found.read = seq;
    this.toRoom(id, { type: 'message.created', message: made }, author === ME ? { type: 'read' } : { type: 'unread', mention: isForMe(made) });
  }

  edit(id, messageId, mentions) {
    const { messages } = this.rooms.get(id);
    const before = messages.get(messageId);
    const made = { ...before, content: `${before.content}!`, edited_at: `2026-11-24T08:00:00.${String(this.seq).padStart(6, '0')}Z`, mentions };
    messages.set(messageId, made);
    const change = isForMe(made) - isForMe(before);
    this.toRoom(id, { type: 'message.updated', message: made }, change ? { type: 'unread_changed', message_id: messageId, unread: 0, mentions: change } : null);
  }

  remove(id, messageId) {
    const { messages } = this.rooms.get(id);
    const { mentions, everyone, creator_id: author, ...gone } = messages.get(messageId);
    messages.delete(messageId);
    const loss = isForMe({ mentions, everyone }) ? -1 : 0;
    this.toRoom(id, { type: 'message.deleted', room_id: id, message_id: gone.id, mentions, everyone }, author === ME ? null : { type: 'unread_changed', message_id: gone.id, unread: -1, mentions: loss });
  }

  boost(id, messageId) {
    const { messages } = this.rooms.get(id);
    const found = messages.get(messageId);
    const [first] = found.boosts;
    if (first) {
      messages.set(messageId, { ...found, boosts: found.boosts.slice(1) });
      this.toRoom(id, { type: 'boost.deleted', room_id: id, message_id: messageId, boost_id: first.id });
    } else {
      const boost = { id: this.seq + 1, user_id: 2, content: '👍' };
      messages.set(messageId, { ...found, boosts: [boost] });
      this.toRoom(id, { type: 'boost.created', room_id: id, message_id: messageId, boost });
    }
  }

  read(id, messageId) {
    const found = this.rooms.get(id);
    const until = Math.min(messageId, Math.max(0, ...found.messages.keys()));
    if (until <= found.read) return;
    found.read = until;
    this.tell({ type: 'read', room_id: id, message_id: until });
  }

  involve(id, involvement) {
    const found = this.rooms.get(id);
    found.involvement = involvement;
    this.tell(this.record({ type: 'membership.updated', room_id: id, user_id: ME, membership: this.membership(found), room: this.view(found) }));
  }

  rename(id) {
    const { facts } = this.rooms.get(id);
    facts.name = facts.name && `Room ${id}, ${this.seq}`;
    facts.updated_at = `2026-11-24T08:00:00.${String(this.seq).padStart(6, '0')}Z`;
    const event = this.record({ type: 'room.updated', room: this.view(this.rooms.get(id)) }, this.rooms.get(id).isMine ? undefined : id);
    if (this.rooms.get(id).isMine) this.tell(event);
  }

  make() {
    const id = this.seq + 1;
    this.putRoom(id, 'open');
    this.tell(this.record({ type: 'room.created', room: this.view(this.rooms.get(id)) }));
  }

  leave(id) {
    this.rooms.get(id).isMine = false;
    this.tell(this.record({ type: 'membership.updated', room_id: id, user_id: ME, membership: null, room: null }));
    for (const { joined } of this.sockets) joined.delete(id);
  }

  enter(id) {
    const found = this.rooms.get(id);
    Object.assign(found, { isMine: true, read: Math.max(0, ...found.messages.keys()), involvement: 'mentions' });
    this.tell(this.record({ type: 'membership.updated', room_id: id, user_id: ME, membership: this.membership(found), room: this.view(found) }));
  }

  end(id) {
    this.rooms.delete(id);
    for (const { joined } of this.sockets) joined.delete(id);
    this.tell(this.record({ type: 'room.deleted', room_id: id }));
  }

  changeUser(id, more) {
    const made = { ...(this.users.get(id) || userOf(id, `User ${id}`)), ...more };
    this.users.set(id, made);
    this.tell(this.record({ type: 'user.updated', user: copy(made) }));
  }

  changeAccount() {
    this.account.name = `Team ${this.seq}`;
    this.tell(this.record({ type: 'account.updated', account: copy(this.account) }));
  }

  come(id, isOnline) {
    if (this.online.has(id) === isOnline) return;
    if (isOnline) this.online.add(id);
    else this.online.delete(id);
    // Presence is told to partners, by a direct room that they share.
    const shared = this.mine.find(({ facts }) => facts.member_ids?.includes(id));
    if (shared) this.tell({ type: 'presence', room_id: shared.facts.id, user_id: id, online: isOnline });
  }

  /** What is kept by a backup. */
  backup() {
    const { seq, account, users, rooms, events, pruned, epochs } = this;
    return copy({ seq, account, users, rooms, events, pruned, epochs });
  }

  restore(backup) {
    Object.assign(this, copy(backup));
    this.restart();
  }

  restart() {
    this.starts += 1;
    this.history = `start ${this.starts}`;
    this.epochs.push([this.history, this.seq]);
    this.sockets = [];
  }

  prune() {
    this.pruned = this.seq - 20;
    this.events = this.events.filter(({ seq }) => seq > this.pruned);
  }
}

const isForMe = ({ mentions, everyone }) => Boolean(everyone) || mentions.includes(ME);
