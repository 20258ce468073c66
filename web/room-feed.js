// The messages that a room shows, kept up to date: pages from the server, and the events after them.

import { Problem, get } from './api.js';
import { addBoost, dropBoost } from './components/boosts.js';
import { join, leave } from './live.js';
import { settled } from './outbox.js';
import { fetchRoom, forgetMessage, noteSeen, sawMessage, state } from './store.js';

/** After so many events, fetching the newest page is faster. */
const MANY = 200;
/** How long after a failed request what is shown is loaded anew. */
const AGAIN_MS = 3000;
/** So many deleted messages are known, in case an answer that is under way still has one. */
const MOST_GONE = 1000;

export class RoomFeed {
  /**
   * `timeline` has the messages, `marks` counts what is unread, and `view` draws: `loading()`, `received(messages)`,
   * `loaded(around, place)`, `failed(problem, around)`; `add(message)` (true for a new one), `replace(message)`,
   * `takeOut(id)`, `boost(event)` for each event, and `took(added)` after them.
   */
  constructor(roomId, timeline, marks, view) {
    Object.assign(this, { roomId, timeline, marks, view });
    this.events = [];
    this.isLoaded = false;
    /** What is shown is being loaded anew; events wait. */
    this.isAsking = false;
    /** What is shown lacks something that no event will bring. */
    this.isStale = false;
    /** What is shown is of a history that was replaced. */
    this.isOther = false;
    this.isClosed = false;
    this.isDue = false;
    this.turn = 0;
    this.wasRefused = false;
    this.wanted = [];
    /** Messages that came while the room was looked at, and are not drawn yet. */
    this.unseen = new Map();
    this.gone = new Set();
    /** For each page that is being fetched, the events that were taken meanwhile. */
    this.meanwhile = new Set();
  }

  /** A page of messages. The answer may be older than events that were taken while it was under way. */
  async fetchPage(query) {
    const events = [];
    const { era } = state;
    this.meanwhile.add(events);
    try {
      const page = await get(`/api/rooms/${this.roomId}/messages${query}`);
      if (era !== state.era) throw new Problem(503, {});
      noteSeen(page.messages.at(-1)?.id || 0);
      return { ...page, messages: withEvents(page.messages, events) };
    } finally {
      this.meanwhile.delete(events);
    }
  }

  /** Shows what is remembered at once; the socket replays what has happened since. */
  openRemembered({ page, seq }) {
    this.isLoaded = true;
    this.timeline.reset(page);
    join(this.roomId, seq);
  }

  /** Loads the newest page, or the one around a message. */
  async load(around = 0, place = null) {
    const turn = this.turn += 1;
    this.wanted = [around, place];
    Object.assign(this, { isLoaded: false, isAsking: false, isStale: false });
    // Events are queued until the page is here.
    join(this.roomId, state.seq);
    this.view.loading();
    try {
      const page = await this.fetchPage(around ? `?around=${around}` : '');
      if (turn !== this.turn) return;
      this.isStale = Boolean(page.is_kept);
      this.view.received(page.messages);
      if (around) this.timeline.reset(page);
      else this.timeline.open(page);
    } catch (problem) {
      if (turn === this.turn) await this.failed(problem, around, place);
      return;
    }
    this.isLoaded = true;
    this.wasRefused = false;
    this.view.loaded(around, place);
    this.take();
    this.checkNewest();
    if (this.isStale && state.connected) this.renew();
  }

  /** Somebody may have taken me out of the room and let me in again meanwhile. */
  async failed(problem, around, place) {
    const { turn } = this;
    const isRefused = problem.status === 404 || problem.status === 403;
    if (isRefused) await fetchRoom(this.roomId);
    if (turn !== this.turn) return;
    if (isRefused && !this.wasRefused && state.rooms.has(this.roomId)) {
      this.wasRefused = true;
      return this.load(around, place);
    }
    this.view.failed(problem, around);
  }

  /** Loads anew what is shown, since it cannot be caught up. The place of reading stays. */
  async renew({ isOther = false } = {}) {
    if (!this.isLoaded) {
      if (isOther) this.forget();
      return this.load(...this.wanted);
    }
    const turn = this.turn += 1;
    const { timeline } = this;
    const { place } = timeline;
    const newest = timeline.list.newest?.id || 0;
    this.isAsking = true;
    if (isOther) this.forget();
    let page = null;
    try {
      page = await this.fetchPage(place ? `?around=${place.id}` : '?fresh');
    } catch (problem) {
      if (turn === this.turn) setTimeout(() => turn === this.turn && state.connected && this.renew(), problem.retryAfterMs || AGAIN_MS);
    }
    if (turn !== this.turn) return;
    this.isAsking = false;
    this.isStale = !page;
    if (page) this.show(page, place, this.isOther ? 0 : newest);
    if (page) this.isOther = false;
    this.take();
  }

  /** Another history has begun: nothing of what is known is of it. */
  forget() {
    this.isOther = true;
    this.events = [];
    this.unseen.clear();
    this.gone.clear();
    Object.assign(this.timeline, { beyond: [], dropped: 0 });
    join(this.roomId, state.seq);
  }

  /** Messages that came while the page was asked for are newer than `newest`, and stay. */
  show(page, place, newest) {
    this.view.received(page.messages);
    if (!newest || place) this.timeline.reset(page);
    else this.timeline.merge(page, newest);
    this.view.loaded(0, place);
  }

  /** Leaves the room. Returns the position of what is shown; 0 if it is not worth remembering. */
  close() {
    if (this.isClosed) return 0;
    const seq = leave();
    const isWhole = this.isLoaded && !this.isAsking && !this.isStale;
    this.countUnseen();
    Object.assign(this, { isClosed: true, isLoaded: false });
    this.turn += 1;
    // What waits is not shown; late frames of an earlier visit may come before what is replayed.
    return isWhole ? Math.min(seq, ...this.events.map((event) => event.seq - 1)) : 0;
  }

  // ---- events ----

  /** Events come in bursts after a reconnect: they are handled together, once per frame. */
  heard(event) {
    if (event.type === 'afresh') return void this.renew(event);
    if (event.type === 'back' && this.isStale && !this.isAsking) return void this.renew();
    if ((event.message?.room_id ?? event.room_id) !== this.roomId || !event.seq) return;
    // Those that were missed are in the counts that came with the connection.
    if (!event.isReplayed) this.count(event);
    this.events.push(event);
    if (!this.isLoaded || this.isDue) return;
    this.isDue = true;
    const take = () => {
      this.isDue = false;
      this.take();
    };
    if (document.visibilityState === 'visible') requestAnimationFrame(take);
    else setTimeout(take);
  }

  take() {
    if (this.isClosed || !this.isLoaded || this.isAsking || !this.events.length) return;
    const events = this.events.splice(0);
    const isMany = events.length > MANY && this.timeline.isAtEnd;
    const added = [];
    for (const event of events) {
      if (isMany) settled(event.message?.client_message_id);
      else if (this.takeEvent(event)) added.push(event.message);
    }
    if (this.marks.isSeen) this.unseen.clear();
    else this.countUnseen();
    if (isMany) return void this.renew();
    this.view.took(added);
  }

  /** Counts what an event changes, as it comes. A message that is about to be drawn where it is seen does not count. */
  count(event) {
    const id = event.message?.id ?? event.message_id;
    if (event.type === 'message.created') {
      if (this.marks.isSeen) this.unseen.set(id, event.message);
      else {
        this.countUnseen();
        this.marks.came(event.message);
      }
    } else if (event.type === 'message.updated') {
      if (this.unseen.has(id)) this.unseen.set(id, event.message);
      else this.marks.edited(event, this.known(id));
    } else if (event.type === 'message.deleted' && !this.unseen.delete(id)) this.marks.deleted(event, this.known(id));
  }

  /** Nobody has seen what was about to be drawn. */
  countUnseen() {
    this.unseen.forEach((message) => this.marks.came(message));
    this.unseen.clear();
  }

  /** A message as it is after the events so far. */
  known(id) {
    return this.events.findLast(({ message }) => message?.id === id)?.message || this.timeline.known(id);
  }

  /** Returns whether the event added a message. */
  takeEvent(event) {
    for (const events of this.meanwhile) events.push(event);
    if (event.type === 'message.created') return this.view.add(event.message);
    if (event.type === 'message.updated') this.view.replace(event.message);
    else if (event.type === 'message.deleted') {
      this.noteGone(event.message_id);
      this.view.takeOut(event.message_id);
      if (!this.timeline.hasAfter) forgetMessage(this.roomId, event.message_id, this.timeline.list.newest?.id || null);
      // Only the server knows which message is the newest now. With the one that is gone, the room would never count as read.
      else if (state.rooms.get(this.roomId)?.last_message_id === event.message_id) fetchRoom(this.roomId);
    } else this.view.boost(event);
    return false;
  }

  noteGone(id) {
    this.gone.add(id);
    if (this.gone.size > MOST_GONE) this.gone.delete(this.gone.values().next().value);
  }

  /** The newest message that is known of may have been deleted before the page was loaded. */
  checkNewest() {
    const room = state.rooms.get(this.roomId);
    const newest = this.timeline.list.newest?.id || 0;
    if (this.timeline.hasAfter || this.isStale || !room) return;
    sawMessage(this.roomId, newest);
    if (newest < room.last_message_id) fetchRoom(this.roomId);
  }
}

/** Changes the messages of a page as these events do. */
function withEvents(messages, events) {
  return events.reduce((all, event) => {
    const id = event.message?.id ?? event.message_id;
    if (event.type === 'message.deleted') return all.filter((message) => message.id !== id);
    const place = all.findIndex((message) => message.id === id);
    if (place < 0) return all;
    if (event.type === 'message.updated') return all.map((message) => (message.id === id ? event.message : message));
    if (event.type === 'boost.created') addBoost(all[place], event.boost);
    if (event.type === 'boost.deleted') dropBoost(all[place], event.boost_id);
    return all;
  }, messages);
}
