// The messages of a room as elements, in order, with groups, day separators and the line above new messages.
// Each change touches only the messages it concerns and their neighbours.

import { h } from '../dom.js';
import { dayKey, dayLabel } from '../format.js';
import { state } from '../store.js';
import { texts } from '../texts.js';
import { fillMessage, fillPending, messageElement, pendingElement, refreshBoosts, refreshMessage, refreshPeople, refreshTimes } from './message.js';

const GROUP_WITHIN = 5 * 60 * 1000;

/** An entry is `{message, item, element, lines, isFirst, day, at}`: a message, or an outbox item that becomes one. `lines` are the separators above it. */
export class MessageList {
  /** `quoteOf(id)` returns a quoted message; `sending` is `{retry(id), discard(id)}`; `joins(from, to)` says who joined between two times. */
  constructor(log, { quoteOf, sending, joins = () => '' }) {
    this.log = log;
    this.joins = joins;
    this.quoteOf = quoteOf;
    this.sending = sending;
    this.entries = [];
    this.pending = [];
    this.byId = new Map();
    /** The first new message: the line stands above it. */
    this.newFrom = 0;
  }

  get newest() {
    return this.entries.at(-1)?.message;
  }

  get oldest() {
    return this.entries[0]?.message;
  }

  get messages() {
    return this.entries.map((entry) => entry.message);
  }

  has(id) {
    return this.byId.has(id);
  }

  message(id) {
    return this.byId.get(id)?.message;
  }

  element(id) {
    return this.byId.get(id)?.element;
  }

  /** The entry of an element. */
  entryOf(element) {
    return this.byId.get(Number(element?.dataset.id));
  }

  /** The message `step` away from another one. */
  beside(id, step) {
    const place = this.entries.indexOf(this.byId.get(id));
    return this.entries[Math.max(0, Math.min(this.entries.length - 1, place + step))]?.message;
  }

  // ---- adding and removing messages ----

  /** Replaces all messages. */
  reset(messages) {
    this.entries.forEach((entry) => this.takeOut(entry));
    this.entries = [];
    this.byId.clear();
    this.append(messages);
  }

  /** Adds messages that are newer than all others. */
  append(messages) {
    const from = this.entries.length;
    const added = messages.filter((message) => !this.has(message.id)).map((message) => this.entry(message));
    this.entries.push(...added);
    this.log.insertBefore(this.built(added, this.entries[from - 1]), this.firstPending());
    this.refreshEntry(this.pending[0], this.entries.at(-1));
  }

  /** Adds messages that are older than all others. */
  prepend(messages) {
    const next = this.entries[0];
    const added = messages.filter((message) => !this.has(message.id)).map((message) => this.entry(message));
    this.entries.unshift(...added);
    this.log.insertBefore(this.built(added, null), next ? next.lines[0] || next.element : this.firstPending());
    this.refreshEntry(next || this.pending[0], added.at(-1));
  }

  /** Inserts a message in its place; a pending one becomes it. Returns false if it is there already. */
  insert(message) {
    if (this.has(message.id)) return false;
    const place = this.entries.findLastIndex((entry) => entry.message.id < message.id) + 1;
    const before = this.entries[place - 1];
    const sent = message.client_message_id && this.pending.find((entry) => entry.item.id === message.client_message_id);
    if (sent) this.arrive(sent, message, place, before);
    else {
      const entry = this.entry(message);
      const next = this.entries[place] || this.pending[0];
      this.entries.splice(place, 0, entry);
      this.log.insertBefore(this.built([entry], before), next ? next.lines[0] || next.element : null);
    }
    this.refreshEntry(this.entries[place + 1] || this.pending[0], this.entries[place]);
    return true;
  }

  /** A pending message becomes a message, in the same element; it moves only if another message came between. */
  arrive(entry, message, place, before) {
    const isNext = this.pending[0] === entry && place === this.entries.length;
    this.pending.splice(this.pending.indexOf(entry), 1);
    this.entries.splice(place, 0, entry);
    Object.assign(entry, { message, item: null, ...when(message.created_at) });
    delete entry.element.dataset.pending;
    this.byId.set(message.id, entry);
    fillMessage(entry.element, message, { isFirst: entry.isFirst, quoted: this.quoteOf(message.reply_to_id) });
    if (!isNext) {
      const next = this.entries[place + 1] || this.pending[0];
      this.log.insertBefore(fragment([...entry.lines, entry.element]), next ? next.lines[0] || next.element : null);
    }
    this.refreshEntry(entry, before);
    if (!isNext) this.refreshEntry(this.pending[0], this.entries.at(-1));
  }

  /** Updates a message. */
  update(message) {
    const entry = this.byId.get(message.id);
    if (!entry) return false;
    refreshMessage(entry.element, entry.message, message, this.quoteOf(message.reply_to_id));
    entry.message = message;
    return true;
  }

  /** Somebody joined, or has another name. */
  redrawJoins() {
    this.entries.forEach((entry, place) => {
      if (this.joins(this.entries[place - 1]?.at ?? entry.at, entry.at) || entry.lines.some((one) => one.matches('.joins'))) this.refreshEntry(entry, this.entries[place - 1]);
    });
  }

  redrawBoosts(id) {
    const entry = this.byId.get(id);
    if (entry) refreshBoosts(entry.element, entry.message);
  }

  /** Redraws the names and pictures of users, and quotes. */
  redrawPeople(isConcerned = () => true) {
    for (const { element, message } of this.entries) if (isConcerned(message)) refreshPeople(element, message, this.quoteOf(message.reply_to_id));
  }

  /** Relabels the day separators on a new day. */
  redrawDays() {
    for (const { lines, at } of [...this.entries, ...this.pending]) {
      const day = lines.find((line) => line.matches('.day:not(.is-new)'));
      if (day) labelLine(day, dayLabel(new Date(at)));
    }
  }

  /** Another time zone: messages may belong to other days. */
  redrawTimes() {
    let before = null;
    for (const entry of [...this.entries, ...this.pending]) {
      entry.day = dayKey(new Date(entry.at));
      this.refreshEntry(entry, before);
      if (!entry.item) refreshTimes(entry.element, entry.message);
      before = entry;
    }
    this.redrawDays();
  }

  remove(id) {
    const entry = this.byId.get(id);
    if (!entry) return false;
    const place = this.entries.indexOf(entry);
    this.entries.splice(place, 1);
    this.takeOut(entry);
    this.refreshEntry(this.entries[place] || this.pending[0], this.entries[place - 1]);
    return true;
  }

  /** Drops the oldest or the newest messages beyond `count`. Returns whether there were any. */
  keepNewest(count) {
    return this.letGo(this.entries.splice(0, Math.max(0, this.entries.length - count)));
  }

  keepOldest(count) {
    return this.letGo(this.entries.splice(count));
  }

  letGo(entries) {
    entries.forEach((entry) => this.takeOut(entry));
    if (entries.length) this.refreshEntry(this.entries[0] || this.pending[0], null);
    return entries.length > 0;
  }

  takeOut(entry) {
    this.byId.delete(entry.message.id);
    entry.lines.forEach((line) => line.remove());
    entry.element.remove();
  }

  // ---- pending messages ----

  /** Updates the pending messages at the end to the outbox. */
  setPending(items) {
    const known = new Map(this.pending.map((entry) => [entry.item.id, entry]));
    const wanted = items.filter((item) => !this.entries.some((entry) => entry.message.client_message_id === item.id));
    const ids = new Set(wanted.map((item) => item.id));
    this.pending = this.pending.filter((entry) => {
      if (ids.has(entry.item.id)) return true;
      entry.lines.forEach((line) => line.remove());
      entry.element.remove();
      return false;
    });
    for (const item of wanted) {
      const entry = known.get(item.id);
      if (entry) this.redrawPending(entry, item);
      else this.addPending(item);
    }
    this.pending.forEach((entry, place) => this.refreshEntry(entry, this.pending[place - 1] || this.entries.at(-1)));
  }

  addPending(item) {
    if (this.pending.some((entry) => entry.item.id === item.id)) return;
    const before = this.pending.at(-1) || this.entries.at(-1);
    const entry = { item, message: asMessage(item), element: null, lines: [], isFirst: true, shown: shownState(item), ...when(item.at) };
    this.lineUp(entry, before);
    entry.element = pendingElement(item, this.pendingContext(entry));
    this.pending.push(entry);
    this.log.append(...entry.lines, entry.element);
  }

  redrawPending(entry, item) {
    entry.item = item;
    if (entry.shown === shownState(item)) return;
    entry.shown = shownState(item);
    fillPending(entry.element, item, this.pendingContext(entry));
  }

  pendingContext(entry) {
    const { id } = entry.item;
    return { isFirst: entry.isFirst, quoted: this.quoteOf(entry.item.reply_to_id), retry: () => this.sending.retry(id), discard: () => this.sending.discard(id) };
  }

  firstPending() {
    const entry = this.pending[0];
    return entry ? entry.lines[0] || entry.element : null;
  }

  // ---- groups and separators ----

  entry(message) {
    const entry = { message, item: null, element: null, lines: [], isFirst: true, ...when(message.created_at) };
    this.byId.set(message.id, entry);
    return entry;
  }

  /** The elements of consecutive new entries. */
  built(entries, before) {
    const parts = [];
    let last = before;
    for (const entry of entries) {
      this.lineUp(entry, last);
      entry.element = messageElement(entry.message, { isFirst: entry.isFirst, quoted: this.quoteOf(entry.message.reply_to_id) });
      parts.push(...entry.lines, entry.element);
      last = entry;
    }
    return fragment(parts);
  }

  /** Sets an entry's separators and whether it begins a group, given the entry before it. */
  lineUp(entry, before) {
    const needsDay = !before || before.day !== entry.day;
    const needsNew = !entry.item && entry.message.id === this.newFrom;
    const joined = before && this.joins(before.at, entry.at);
    entry.lines = [joined && joinsLine(joined), needsDay && line('day', dayLabel(new Date(entry.at))), needsNew && line('day is-new', texts.room.newLine)].filter(Boolean);
    entry.isFirst = needsDay || needsNew || Boolean(joined) || !joinsUp(entry, before);
  }

  /** The same for an entry in the page whose predecessor has changed. */
  refreshEntry(entry, before) {
    if (!entry) return;
    const { isFirst, lines } = entry;
    this.lineUp(entry, before);
    const isSame = lines.length === entry.lines.length && lines.every((old, place) => old.className === entry.lines[place].className && (!old.matches('.joins') || old.textContent === entry.lines[place].textContent));
    if (isSame) entry.lines = lines;
    else {
      lines.forEach((old) => old.remove());
      entry.element.before(...entry.lines);
    }
    if (isFirst === entry.isFirst) return;
    if (entry.item) fillPending(entry.element, entry.item, this.pendingContext(entry));
    else if (!entry.element.querySelector('.edit')) fillMessage(entry.element, entry.message, { isFirst: entry.isFirst, quoted: this.quoteOf(entry.message.reply_to_id) });
  }

  /** Moves the line for new messages above this message; 0 removes it. */
  drawNewLine(id) {
    if (this.newFrom === id) return;
    const before = this.byId.get(this.newFrom);
    this.newFrom = id;
    for (const entry of [before, this.byId.get(id)]) {
      if (entry) this.refreshEntry(entry, this.entries[this.entries.indexOf(entry) - 1]);
    }
  }

  get newLine() {
    return this.byId.get(this.newFrom)?.lines.at(-1);
  }

  /** The entry at this offset of the scrolled content. */
  entryAt(offset) {
    let low = 0;
    let high = this.entries.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { element } = this.entries[middle];
      if (element.offsetTop + element.offsetHeight > offset) high = middle;
      else low = middle + 1;
    }
    return this.entries[low];
  }
}

const when = (at) => {
  const date = new Date(at);
  return { at: date.getTime(), day: dayKey(date) };
};

const asMessage = (item) => ({ id: item.id, creator_id: state.me.id, reply_to_id: item.reply_to_id, kind: 'text' });
const shownState = (item) => `${item.status === 'failed' ? item.why || 'failed' : `${state.connected && !item.isHeld}${Boolean(item.isPaced)}`} ${item.reply_to_id}`;

function joinsUp({ message, at }, before) {
  return before && before.message.creator_id === message.creator_id && at - before.at <= GROUP_WITHIN && !message.reply_to_id
    && (before.message.kind === 'system') === (message.kind === 'system');
}

export const joinsLine = (text) => h('p', { class: 'joins' }, text);

function line(kind, text) {
  return labelLine(h('div', { class: kind, role: 'separator' }, h('span', {})), text);
}

function labelLine(element, text) {
  element.setAttribute('aria-label', text);
  element.firstElementChild.textContent = text;
  return element;
}

function fragment(parts) {
  const made = document.createDocumentFragment();
  made.append(...parts);
  return made;
}
