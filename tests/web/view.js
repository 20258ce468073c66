// A room's view without elements: the feed and the read marks are the page's own, the timeline is a list.

/** The modules that a view is made of, of one page; `memory` has what was left. */
export async function partsOf(page) {
  const [{ RoomFeed }, { ReadMarks }, boosts] = await Promise.all(['room-feed', 'components/read-marks', 'components/boosts'].map((name) => page.load(name)));
  return { RoomFeed, ReadMarks, boosts, memory: new Map() };
}

/** The messages of a room without elements, with what the feed and the marks need of a timeline. */
export class Messages {
  constructor() {
    Object.assign(this, { all: [], hasBefore: false, hasAfter: false, isAtEnd: true, beyond: [], place: null });
    const of = () => this.all;
    this.list = { get newest() { return of().at(-1); }, get oldest() { return of()[0]; }, has: (id) => this.all.some((one) => one.id === id), message: (id) => this.all.find((one) => one.id === id) };
  }

  reset({ messages, has_before: hasBefore, has_after: hasAfter }) {
    Object.assign(this, { all: [...messages], hasBefore, hasAfter, isAtEnd: !hasAfter, place: null });
    this.takeBeyond();
  }

  open(page) { this.reset(page); }

  merge(page, asked) {
    const first = page.messages[0]?.id || 0;
    this.all = [...page.messages, ...this.all.filter(({ id }) => id > asked && id >= first && !page.messages.some((one) => one.id === id))].sort((a, b) => a.id - b.id);
    this.hasBefore = page.has_before;
  }

  takeBeyond() {
    if (this.hasAfter) return;
    const last = this.list.newest?.id || 0;
    this.all.push(...this.beyond.splice(0).filter(({ id }) => id > last));
  }

  known(id) { return this.list.message(id) || this.beyond.find((one) => one.id === id); }

  add(message) {
    if (this.list.has(message.id) || (this.hasBefore && message.id < this.list.oldest?.id)) return false;
    const to = this.hasAfter ? this.beyond : this.all;
    if (!to.some(({ id }) => id === message.id)) to.push(message);
    to.sort((a, b) => a.id - b.id);
    return true;
  }

  update(message) {
    for (const list of [this.all, this.beyond]) list.splice(0, list.length, ...list.map((one) => (one.id === message.id ? message : one)));
  }

  remove(id) {
    this.all = this.all.filter((one) => one.id !== id);
    this.beyond = this.beyond.filter((one) => one.id !== id);
  }

  setNew() {}
}

/** The view of a room, as `views/room.js` is one. */
export class View {
  constructor({ RoomFeed, ReadMarks, boosts, memory }, roomId) {
    Object.assign(this, { boosts, memory, roomId });
    this.timeline = new Messages();
    this.marks = new ReadMarks(roomId, this.timeline);
    this.feed = new RoomFeed(roomId, this.timeline, this.marks, this);
  }

  open() {
    const remembered = this.memory.get(this.roomId);
    if (!remembered) return this.feed.load();
    this.feed.openRemembered(remembered);
    this.loaded();
  }

  close() {
    const seq = this.feed.close();
    const { all, hasBefore, hasAfter } = this.timeline;
    if (seq && !hasAfter && all.length) this.memory.set(this.roomId, { seq, page: { messages: all, has_before: hasBefore, has_after: false } });
    else this.memory.delete(this.roomId);
  }

  loading() {}

  received() {}

  failed({ status }, around) { if (status !== 404) this.hasFailed = () => this.feed.load(around); }

  loaded(around, place) {
    if (place) Object.assign(this.timeline, { isAtEnd: false, place });
    this.mark();
  }

  took() { this.mark(); }

  add(message) { return !this.feed.gone.has(message.id) && this.timeline.add(message); }

  replace(message) { this.timeline.update(message); }

  takeOut(id) { this.timeline.remove(id); }

  boost({ type, message_id: id, boost, boost_id: gone }) {
    const found = this.timeline.list.message(id);
    if (found && type === 'boost.created') this.boosts.addBoost(found, boost);
    else if (found) this.boosts.dropBoost(found, gone);
  }

  mark() {
    if (this.feed.isLoaded && !this.feed.isStale) this.marks.mark();
  }

  /** The user scrolls up a bit, or to the end. */
  scroll(isAtEnd) {
    if (!this.timeline.all.length) return;
    this.timeline.isAtEnd = isAtEnd && !this.timeline.hasAfter;
    this.timeline.place = this.timeline.isAtEnd ? null : { id: this.timeline.all[Math.floor(this.timeline.all.length / 2)].id, offset: 0 };
    this.mark();
  }

  async page() {
    const from = this.timeline.list.oldest;
    if (!from || !this.timeline.hasBefore || this.isPaging) return;
    this.isPaging = true;
    const page = await this.feed.fetchPage(`?before=${from.id}`).catch(() => null);
    this.isPaging = false;
    if (!page || this.timeline.list.oldest?.id !== from.id) return;
    this.timeline.all.unshift(...page.messages);
    this.timeline.hasBefore = page.has_before;
  }

  async newest() {
    if (!this.timeline.hasAfter) return;
    const page = await this.feed.fetchPage('').catch(() => null);
    if (page && this.timeline.hasAfter) this.timeline.reset(page);
    this.scroll(true);
  }
}
