// The scrolling history of a room: pages are loaded at both ends, and the scroll position stays.

import { afterPaint, h } from '../dom.js';
import { icon } from '../icons.js';
import { dayLabel } from '../format.js';
import { state } from '../store.js';
import { texts } from '../texts.js';
import { MessageList, joinsLine } from './message-list.js';

/** The most messages in the page; beyond that, a batch is dropped at the far end. */
const MOST = 500;
/** More messages than fit on a screen. */
const IN_SIGHT = 16;
const KEPT = 440;
/** How near to an end the next page is fetched, in pixels: a few screens. */
const PAGE_WITHIN = 3000;
const END_WITHIN = 48;
const FAR_FROM_END = 400;
const DAY_SHOWN_MS = 1200;
/** New messages that are kept while older ones are shown: a page that is being fetched may lack the last of them. */
const BEYOND = 100;

export class Timeline {
  /** `fetchPage(query)` returns a page; `onend()` is called when the newest message is in view, `onnewest()` when the user asks for it. */
  constructor({ label, quoteOf, sending, joins, fetchPage, onend, onnewest }) {
    this.fetchPage = fetchPage;
    this.onend = onend;
    this.hasBefore = false;
    this.hasAfter = false;
    this.isAtEnd = true;
    this.isPaging = false;
    this.came = 0;
    this.unseen = 0;
    this.beyond = [];
    this.dropped = 0;
    this.newAfter = null;
    this.anchor = null;
    this.isDirty = false;
    this.height = 0;
    this.log = h('div', { class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': label });
    this.start = h('div', { class: 'log-start' });
    this.older = skeleton();
    this.newer = skeleton();
    this.tail = h('div', { class: 'log-tail' });
    this.scroll = h('div', { class: 'scroll' }, h('div', { class: 'log-space' }), this.start, this.older, this.log, this.newer, this.tail);
    this.toNew = h('button', { type: 'button', class: 'jump-button is-up', hidden: true, onclick: () => this.showNew() }, icon('up'), h('span', {}));
    this.toNewest = h('button', { type: 'button', class: 'jump-button is-down', hidden: true, onclick: onnewest }, icon('down'), h('span', {}, texts.room.newest));
    this.dayShown = h('div', { class: 'day-shown', 'aria-hidden': 'true' });
    this.element = h('div', { class: 'scroll-frame' }, this.toNew, this.scroll, this.dayShown, this.toNewest);
    this.list = new MessageList(this.log, { quoteOf, sending, joins });
    this.joins = joins;
    this.joined = h('div', { class: 'log-joins' });
    this.newer.before(this.joined);
    this.scroll.addEventListener('scroll', () => this.scrolled(), { passive: true });
    this.resized = new ResizeObserver(() => this.holdPlace());
    this.resized.observe(this.scroll);
    this.resized.observe(this.log);
    this.resized.observe(this.tail);
    this.resized.observe(this.joined);
    this.drawEnds();
  }

  stop() {
    this.resized.disconnect();
    clearTimeout(this.dayTimer);
  }

  // ---- the scroll position ----
  // Nothing is measured when messages arrive: the position is corrected after layout, before paint.

  /** Corrects the position after a change of height: at the end it stays at the end, elsewhere the anchor stays in place. */
  holdPlace() {
    this.isDirty = false;
    if (this.isAtEnd) this.toEnd();
    else if (this.anchor?.element.isConnected) {
      const moved = this.anchor.element.offsetTop - this.anchor.top;
      if (moved) this.scroll.scrollTop += moved;
      this.anchor.top += moved;
    }
    this.look();
  }

  /** Call before the list changes: the position is that from before. */
  willChange() {
    this.isDirty = true;
  }

  /** The entry at the top of the view becomes the anchor. */
  remember(entry = this.list.entryAt(this.scroll.scrollTop)) {
    this.anchor = entry && !this.isAtEnd ? { element: entry.element, top: entry.element.offsetTop } : null;
    this.lastPlace = this.anchor && { id: entry.message.id, offset: this.scroll.scrollTop - this.anchor.top };
  }

  scrolled() {
    // If no height has changed, the user has scrolled.
    if (this.isDirty && this.scroll.scrollHeight !== this.height) this.holdPlace();
    this.isDirty = false;
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    this.isAtEnd = !this.hasAfter && scrollHeight - scrollTop - clientHeight < END_WITHIN;
    this.remember();
    this.look();
    this.showDay();
  }

  /** Fetches pages near an end, shows the jump buttons, reports that the end is in view. */
  look() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    const below = scrollHeight - scrollTop - clientHeight;
    this.height = scrollHeight;
    if (this.isAtEnd) this.came = 0;
    this.drawJumps(below);
    if (this.isAtEnd) this.onend();
    if (this.hasBefore && scrollTop < PAGE_WITHIN) this.page('before');
    else if (this.hasAfter && below < PAGE_WITHIN) this.page('after');
  }

  drawJumps(below) {
    const isFar = this.hasAfter || below > FAR_FROM_END;
    const isShown = !this.isAtEnd && (isFar || this.came > 0);
    if (this.toNewest.hidden === isShown) this.toNewest.hidden = !isShown;
    const words = this.came ? texts.room.cameBelow(this.came) : texts.room.newest;
    if (this.toNewest.lastChild.textContent !== words) this.toNewest.lastChild.textContent = words;
    this.toNewest.classList.toggle('has-new', this.came > 0);
    const line = this.list.newLine;
    const isAbove = this.unseen > 0 && (line ? line.offsetTop < this.scroll.scrollTop : this.hasBefore && this.list.oldest?.id > this.newAfter);
    if (this.unseen > 0 && line && !isAbove) this.unseen = 0;
    if (this.toNew.hidden === isAbove) this.toNew.hidden = !isAbove;
  }

  /** Marks others' messages after this one as new: a line above the first, and a button to it while it is out of view. */
  setNew(lastReadId, count) {
    this.willChange();
    this.newAfter = lastReadId;
    this.unseen = count;
    this.toNew.lastChild.textContent = texts.room.cameAbove(count);
    this.list.drawNewLine(0);
    this.drawNew();
  }

  /** I have answered: what was new is not any more. */
  noneNew() {
    if (this.newAfter === null) return;
    this.willChange();
    Object.assign(this, { newAfter: null, unseen: 0 });
    this.toNew.hidden = true;
    this.list.drawNewLine(0);
  }

  drawNew() {
    const { oldest } = this.list;
    // If older messages are not loaded, the first new one may be among them.
    if (this.newAfter === null || this.list.newFrom || !oldest || (this.hasBefore && oldest.id > this.newAfter)) return;
    const first = this.list.entries.find(({ message }) => message.id > this.newAfter && message.creator_id !== state.me.id);
    if (first) this.list.drawNewLine(first.message.id);
  }

  async showNew() {
    this.unseen = 0;
    this.toNew.hidden = true;
    if (!this.list.newLine) await this.openAround(this.newAfter);
    this.isAtEnd = false;
    this.list.newLine?.scrollIntoView({ block: 'center' });
    this.list.element(this.list.newFrom)?.focus({ preventScroll: true });
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  /** Goes to the newest message, however far away it is. */
  async goNewest() {
    if (this.hasAfter) {
      const page = await this.fetchPage('').catch(() => null);
      if (!page) return;
      this.reset(page);
    }
    this.isAtEnd = true;
    this.came = 0;
    this.toEnd();
  }

  async openAround(id) {
    const page = await this.fetchPage(`?around=${id}`).catch(() => null);
    if (page) this.reset(page);
  }

  /** The position to restore later; null at the end. Works after the element was removed. */
  get place() {
    return this.isAtEnd ? null : this.lastPlace;
  }

  set place({ id, offset }) {
    const element = this.list.element(id);
    if (!element) return;
    this.isAtEnd = false;
    this.scroll.scrollTop = element.offsetTop + offset;
    this.remember();
  }

  /** Keeps this message in place, also at the end, until the user scrolls. */
  hold(id) {
    this.isAtEnd = false;
    this.remember(this.list.byId.get(id));
  }

  /** Scrolls a message to the middle. */
  center(id) {
    const element = this.list.element(id);
    if (!element) return null;
    this.isAtEnd = false;
    element.scrollIntoView({ block: 'center' });
    this.remember();
    return element;
  }

  // ---- messages ----

  /** Replaces everything with a page. */
  reset({ messages, has_before: hasBefore, has_after: hasAfter }) {
    this.hasBefore = hasBefore;
    this.hasAfter = hasAfter;
    this.anchor = null;
    this.isAtEnd = !hasAfter;
    this.isDirty = true;
    this.list.reset(messages);
    this.takeBeyond();
    this.drawNew();
    this.drawEnds();
  }

  /** Shows the newest page in two steps: first what is in view, and the rest after paint. */
  open(page) {
    const later = page.messages.slice(0, -IN_SIGHT);
    if (page.has_after || !later.length) return this.reset(page);
    const shown = page.messages.slice(-IN_SIGHT);
    this.reset({ ...page, messages: shown, has_before: true });
    // No other page is fetched meanwhile.
    this.isPaging = true;
    afterPaint(() => {
      this.isPaging = false;
      if (this.list.oldest?.id === shown[0].id) this.takePage('before', { messages: later, has_before: page.has_before });
    });
  }

  /** Updates the messages to the newest page, without redrawing those that are the same. */
  merge(page, asked = Infinity) {
    const isJoined = page.messages.some((message) => this.list.has(message.id)) || this.list.entries.length === 0;
    if (!isJoined) return this.reset(page);
    this.willChange();
    const ids = new Set(page.messages.map((message) => message.id));
    const first = page.messages[0]?.id || 0;
    for (const message of this.list.messages) if (message.id >= first && message.id <= asked && !ids.has(message.id)) this.remove(message.id);
    for (const message of page.messages) if (!this.list.update(message)) this.list.insert(message);
    // Older ones may have changed as well.
    if (this.list.oldest?.id < first) this.list.keepNewest(this.list.entries.filter(({ message }) => message.id >= first).length);
    this.hasBefore = page.has_before;
    this.drawEnds();
  }

  /** Adds a message; returns whether it is new. While older messages are shown, a newer one is only counted. */
  add(message, isMine) {
    // It comes with the page before.
    if (this.hasBefore && message.id < this.list.oldest?.id) return false;
    if (this.hasAfter) {
      if (!this.list.has(message.id)) this.keepBeyond(message);
      if (isMine || this.list.has(message.id)) return false;
      this.came += 1;
      this.look();
      return true;
    }
    this.willChange();
    if (!this.list.insert(message)) return false;
    this.drawNew();
    if (!isMine && !this.isAtEnd) this.came += 1;
    if (this.list.entries.length > MOST) this.letFarGo();
    this.drawEnds();
    return true;
  }

  keepBeyond(message) {
    this.beyond = [...this.beyond.filter((other) => other.id !== message.id), message];
    if (this.beyond.length > BEYOND) this.dropped = this.beyond.shift().id;
  }

  /** At the newest page: adds messages that came after it was fetched. */
  takeBeyond() {
    if (this.hasAfter) return;
    const last = this.list.newest?.id || 0;
    // Some that came are in neither.
    this.hasAfter = this.dropped > last;
    // The next page is asked for after they came: if it lacks them, they were deleted.
    this.dropped = 0;
    if (this.hasAfter) return;
    for (const message of this.beyond.splice(0)) if (message.id > last) this.list.insert(message);
  }

  /** A message that is shown, or kept to be shown. */
  known(id) {
    return this.list.message(id) || this.beyond.find((message) => message.id === id);
  }

  update(message) {
    this.beyond = this.beyond.map((other) => (other.id === message.id ? message : other));
    this.willChange();
    return this.list.update(message);
  }

  remove(id) {
    this.beyond = this.beyond.filter((message) => message.id !== id);
    this.willChange();
    const element = this.list.element(id);
    if (element && element === this.anchor?.element) {
      const next = this.list.beside(id, 1);
      this.remember(this.list.byId.get(next?.id));
    }
    const isRemoved = this.list.remove(id);
    this.drawEnds();
    return isRemoved;
  }

  /** Fetches the next page at one end and drops messages at the other. */
  async page(edge) {
    const from = edge === 'before' ? this.list.oldest : this.list.newest;
    if (this.isPaging || !from) return;
    this.isPaging = true;
    try {
      const page = await this.fetchPage(`?${edge}=${from.id}`);
      if (this.list.has(from.id)) this.takePage(edge, page);
    } catch {
      // It is fetched again when the user scrolls.
    } finally {
      this.isPaging = false;
    }
  }

  takePage(edge, page) {
    this.steadily(() => {
      if (edge === 'before') {
        this.list.prepend(page.messages);
        this.hasBefore = page.has_before;
        this.drawNew();
        if (this.list.entries.length > MOST) this.letNewestGo();
      } else {
        this.list.append(page.messages);
        this.hasAfter = page.has_after;
        this.takeBeyond();
        if (this.list.entries.length > MOST) this.letOldestGo();
      }
      this.drawEnds();
    });
  }

  letOldestGo() {
    this.hasBefore = this.list.keepNewest(KEPT) || this.hasBefore;
  }

  letNewestGo() {
    this.hasAfter = this.list.keepOldest(KEPT) || this.hasAfter;
    if (this.hasAfter) this.isAtEnd = false;
  }

  /** Drops the messages farthest from the view. */
  letFarGo() {
    const isInNewerHalf = this.isAtEnd || this.list.entries.indexOf(this.list.entryAt(this.scroll.scrollTop)) > this.list.entries.length / 2;
    this.steadily(() => {
      if (isInNewerHalf) this.letOldestGo();
      else this.letNewestGo();
    });
  }

  /** Makes a large change. Browsers clamp the scroll position when content above shrinks: it is corrected in the same turn. */
  steadily(change) {
    if (this.isDirty) this.holdPlace();
    const from = this.scroll.scrollTop;
    this.willChange();
    change();
    if (this.isAtEnd || !this.anchor?.element.isConnected) return;
    const moved = this.anchor.element.offsetTop - this.anchor.top;
    this.anchor.top += moved;
    this.scroll.scrollTop = from + moved;
  }

  /** Those who joined after the newest message, which may be one that is being sent. */
  drawJoined() {
    const last = this.list.pending.at(-1) || this.list.entries.at(-1);
    const words = this.hasAfter || (!last && this.hasBefore) ? '' : this.joins?.(last?.at || 0) || '';
    if (this.joined.textContent === words) return;
    this.willChange();
    this.joined.replaceChildren(...(words ? [joinsLine(words)] : []));
  }

  drawEnds() {
    this.older.hidden = !this.hasBefore;
    this.newer.hidden = !this.hasAfter;
    this.start.hidden = this.hasBefore;
  }

  /** Shows the day of the message at the top while the user scrolls through older ones. */
  showDay() {
    clearTimeout(this.dayTimer);
    const entry = this.isAtEnd ? null : this.list.entryAt(this.scroll.scrollTop + 24);
    this.dayShown.classList.toggle('is-visible', Boolean(entry));
    if (!entry) return;
    const label = dayLabel(new Date(entry.at));
    if (this.dayShown.textContent !== label) this.dayShown.textContent = label;
    this.dayTimer = setTimeout(() => this.dayShown.classList.remove('is-visible'), DAY_SHOWN_MS);
  }
}

/** Placeholders for messages that are loading. */
export function skeleton() {
  return h('div', { class: 'log-skeleton', 'aria-hidden': 'true' }, ['is-short', 'is-long', 'is-middle'].map((length) => h('div', { class: 'skeleton-message' },
    h('i', { class: 'skeleton skeleton-face' }), h('i', { class: `skeleton skeleton-line ${length}` }))));
}
