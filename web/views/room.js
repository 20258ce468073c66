// A room: its messages and the composer.

import { announcer } from '../components/announcer.js';
import { uploadElement } from '../components/attachment.js';
import { addBoost, dropBoost } from '../components/boosts.js';
import { composer } from '../components/composer.js';
import { dropOverlay } from '../components/drop-overlay.js';
import { MessageActions } from '../components/message-actions.js';
import { mayEdit } from '../components/message-acts.js';
import { Quotes } from '../components/quotes.js';
import { ReadMarks } from '../components/read-marks.js';
import { roomHead, titleOf } from '../components/room-head.js';
import { openPicture } from '../components/room-pictures.js';
import { emptyRoom, roomStart } from '../components/room-welcome.js';
import { playSound } from '../components/sounds.js';
import { Timeline, skeleton } from '../components/timeline.js';
import { typingLine } from '../components/typing-line.js';
import { afterPaint, emptyElement, fill, h } from '../dom.js';
import { joinsOf } from '../joined.js';
import { atHand } from '../lazy.js';
import { listen } from '../live.js';
import { learnMembers, mentionable } from '../members.js';
import { discard, enqueue, onConfirmed, pendingIn, retry, settled } from '../outbox.js';
import { RoomFeed } from '../room-feed.js';
import { remember, remembered } from '../room-memory.js';
import { go, wentBack } from '../routes.js';
import { state, watch } from '../store.js';
import { texts } from '../texts.js';
import { enqueueFiles, uploadsIn } from '../uploads.js';

class CampRoom extends HTMLElement {
  connectedCallback() {
    this.className = 'room-view';
    this.roomId = Number(this.getAttribute('room'));
    this.quotes = new Quotes();
    this.build();
    this.stops = [
      watch(['rooms', 'users', 'presence', 'present', 'gone', 'members'], (topics) => this.roomChanged(topics)),
      watch(['typing'], () => this.typing.draw()),
      watch(['day'], () => this.list.redrawDays()),
      watch(['zone'], () => this.zoneChanged()),
      watch(['outbox', 'connection'], () => this.drawPending()),
      watch(['uploads'], () => this.drawUploads()),
      listen((event) => this.heard(event)),
      onConfirmed((message) => this.confirmed(message)),
    ];
    this.seen = () => {
      this.marks.visibilityChanged();
      if (document.visibilityState === 'hidden') this.composer.keep();
    };
    document.addEventListener('visibilitychange', this.seen);
    this.open(Number(this.getAttribute('message')) || 0);
  }

  disconnectedCallback() {
    this.stops.forEach((stop) => stop());
    document.removeEventListener('visibilitychange', this.seen);
    this.marks.send();
    const seq = this.feed.close();
    if (seq && this.room) remember(this.roomId, this.timeline, seq);
    this.timeline.stop();
  }

  get isLoaded() {
    return this.feed.isLoaded;
  }

  get room() {
    return state.rooms.get(this.roomId);
  }

  build() {
    const { room } = this;
    this.head = roomHead(this.roomId);
    this.timeline = new Timeline({
      label: texts.room.log(titleOf(room)), quoteOf: (id) => this.quotes.of(id), sending: { retry, discard }, joins: joinsOf(this.roomId),
      fetchPage: (query) => this.feed.fetchPage(query), onend: () => this.markRead(), onnewest: () => this.askedForNewest(),
    });
    this.list = this.timeline.list;
    this.quotes.show(this.timeline);
    this.marks = new ReadMarks(this.roomId, this.timeline);
    this.feed = new RoomFeed(this.roomId, this.timeline, this.marks, this);
    this.notice = h('div', { class: 'room-notice', role: 'status', hidden: true });
    this.typing = typingLine(this.roomId);
    this.announcer = announcer();
    this.composer = composer(room, {
      send: (content, replyTo) => this.send(content, replyTo),
      editLast: () => this.editLast(),
      members: () => mentionable(this.room, this.list.messages),
      upload: (files, content, replyTo) => this.upload(files, content, replyTo),
    });
    this.timeline.log.addEventListener('openpicture', ({ detail }) => openPicture(this.list.messages, detail));
    this.actions = new MessageActions(this.timeline, {
      reply: (message) => this.composer.setReply(message),
      edit: (message) => this.edit(message),
      show: (id) => this.list.has(id) && this.showTarget(id),
      leave: () => this.toComposer(),
    });
    this.addEventListener('keydown', (event) => this.pressed(event));
    fill(this, this.head.element, h('div', { class: 'room-middle' }, this.notice, this.timeline.element), h('div', { class: 'room-foot' }, this.typing.element, this.composer.element), this.announcer.element,
      dropOverlay(this, () => titleOf(this.room), (files) => this.composer.addFiles(files)));
  }

  // ---- opening ----

  /** Shows a remembered room at once and lets the socket replay what has happened since; otherwise loads a page. `target` is the message in the address. */
  open(target) {
    const { membership } = this.room;
    learnMembers(this.room);
    const memory = target ? null : remembered(this.roomId);
    this.target = target;
    if (membership.unread_count) this.timeline.setNew(membership.last_read_message_id || 0, membership.unread_count);
    const place = memory && wentBack() ? memory.place : null;
    const isKept = memory?.page.messages.some((message) => !place || message.id === place.id);
    if (isKept) this.openRemembered(memory, place);
    else this.feed.load(target || place?.id || 0, place);
    if (!target) this.takeFocus();
    this.typing.draw();
    this.drawUploads();
  }

  /** If nothing has the focus, focusing the composer can wait until the room is painted. */
  takeFocus() {
    if (document.activeElement !== document.body) return this.composer.focus();
    afterPaint(() => {
      if (this.isConnected && (document.activeElement === document.body || this.head.element.contains(document.activeElement))) this.composer.focus();
    });
  }

  openRemembered(memory, place) {
    this.feed.openRemembered(memory);
    this.loaded(0, place);
  }

  heard(event) {
    // Its messages have the same ids as others.
    if (event.isOther) this.quotes.known.clear();
    this.feed.heard(event);
  }

  // ---- what the feed tells ----

  loading() {
    fill(this.timeline.start, skeleton(), skeleton(), skeleton());
    this.drawPending();
  }

  received(messages) {
    this.quotes.learn(messages);
  }

  loaded(around, place) {
    this.drawStart();
    this.drawPending();
    if (place) this.timeline.place = place;
    else if (around) this.showTarget(around);
    this.quotes.ask();
    this.settle();
  }

  failed(problem, around) {
    if (problem.status === 404 || problem.status === 403) return this.showGone();
    fill(this.timeline.start, emptyElement(texts.errors.loadFailed, problem.message, h('button', { type: 'button', class: 'button', onclick: () => this.feed.load(around) }, texts.common.retry)));
  }

  took(added) {
    this.drawStart();
    if (added.some((message) => message.reply_to_id)) this.quotes.ask();
    this.settle();
    if (document.visibilityState !== 'visible') return;
    this.announcer.tell(added.filter((message) => message.creator_id !== state.me.id));
    this.play(added);
  }

  // ---- the place that is shown ----

  settle() {
    this.actions.settle();
    this.markRead();
  }

  /** The address has changed to another message of this room. */
  routed(target) {
    if (!target) return;
    this.target = target;
    this.notice.hidden = true;
    if (this.list.has(target)) this.showTarget(target);
    else this.feed.load(target);
  }

  /** Scrolls to a message and focuses it; shows a notice if it was deleted. */
  showTarget(id) {
    const element = this.timeline.center(id);
    this.querySelector('.is-shown')?.classList.remove('is-shown');
    if (!element) {
      this.tell(texts.room.targetGone);
      return false;
    }
    element.classList.add('is-shown');
    element.focus({ preventScroll: true });
    return true;
  }

  /** A notice above the messages. */
  tell(words) {
    const close = () => { this.notice.hidden = true; };
    this.notice.hidden = false;
    fill(this.notice, h('span', {}, words), h('button', { type: 'button', class: 'link', onclick: () => {
      close();
      this.goNewest();
    } }, texts.room.newest));
  }

  /** The button disappears when it is used: the focus goes to the composer. */
  async askedForNewest() {
    await this.goNewest();
    if (document.activeElement === document.body || this.timeline.toNewest.contains(document.activeElement)) this.composer.focus();
  }

  async goNewest() {
    if (this.target) go(`/rooms/${this.roomId}`, { replace: true });
    this.target = 0;
    await this.timeline.goNewest();
    this.drawPending();
    this.quotes.ask();
    this.settle();
  }

  // ---- events ----

  add(message) {
    if (message.client_message_id) settled(message.client_message_id);
    return !this.feed.gone.has(message.id) && this.timeline.add(message, message.creator_id === state.me.id);
  }

  confirmed(message) {
    if (message.room_id !== this.roomId || !this.isLoaded) return;
    this.add(message);
    this.drawStart();
    this.actions.settle();
    if (message.reply_to_id) this.quotes.ask();
  }

  replace(message) {
    if (!this.timeline.update(message)) return;
    this.quotes.redraw(message.id);
    this.actions.reach(this.list.element(message.id));
  }

  takeOut(id) {
    const hadFocus = this.list.element(id)?.contains(document.activeElement);
    const next = this.list.beside(id, 1) || this.list.beside(id, -1);
    this.timeline.remove(id);
    this.quotes.gone(id);
    this.composer.replyGone(id);
    if (hadFocus && next && next.id !== id) this.actions.focus(next.id);
    else if (hadFocus) this.toComposer();
  }

  boost({ type, message_id: id, boost, boost_id: gone }) {
    const message = this.list.message(id);
    if (!message) return;
    if (type === 'boost.created') addBoost(message, boost);
    else dropBoost(message, gone);
    this.timeline.willChange();
    this.list.redrawBoosts(id);
  }

  roomChanged(topics) {
    if (!this.room) {
      this.isDropped = true;
      return this.showGone();
    }
    // A member again: open the room anew.
    if (this.isDropped) return void dispatchEvent(new Event('route'));
    if (this.isGone) return;
    learnMembers(this.room);
    this.head.draw();
    this.composer.rename((id) => this.list.message(id));
    this.markRead();
    if (topics.includes('users')) {
      this.timeline.willChange();
      this.list.redrawPeople();
      this.list.redrawJoins();
      if (this.timeline.start.dataset.shows === 'start') delete this.timeline.start.dataset.shows;
      this.drawStart();
      this.typing.draw();
    }
  }

  zoneChanged() {
    this.timeline.willChange();
    this.list.redrawTimes();
  }

  showGone() {
    if (this.isGone) return;
    this.isGone = true;
    this.feed.close();
    fill(this, emptyElement(texts.room.gone, texts.room.goneHint, h('a', { class: 'button', href: '/' }, texts.common.home)));
    this.querySelector('a').focus();
  }

  markRead() {
    if (this.isLoaded && !this.feed.isStale) this.marks.mark();
  }

  /** Plays the last sound for everybody who has the room open. */
  play(added) {
    const sound = added.findLast((message) => message.kind === 'sound');
    if (sound) playSound(sound.content.replace(/^\/play\s+/, '').trim());
  }

  // ---- writing ----

  send(content, replyTo) {
    if (this.timeline.hasAfter) this.goNewest();
    const item = enqueue(this.roomId, content, replyTo);
    this.timeline.isAtEnd = true;
    this.timeline.willChange();
    this.timeline.noneNew();
    this.list.addPending(item);
    this.drawStart();
    this.timeline.toEnd();
    if (replyTo) this.quotes.ask();
  }

  async upload(files, content, replyTo) {
    if (this.timeline.hasAfter) await this.goNewest();
    this.timeline.isAtEnd = true;
    this.timeline.noneNew();
    enqueueFiles(this.roomId, files, { content, replyTo });
  }

  drawUploads() {
    if (this.isGone) return;
    this.timeline.willChange();
    fill(this.timeline.tail, uploadsIn(this.roomId).map(uploadElement));
    this.drawStart();
  }

  drawPending() {
    if (this.isGone) return;
    this.timeline.willChange();
    this.list.setPending(this.timeline.hasAfter ? [] : pendingIn(this.roomId));
    if (this.isLoaded) this.timeline.drawJoined();
  }

  drawStart() {
    if (!this.isLoaded) return;
    this.timeline.drawJoined();
    const isEmpty = !this.list.entries.length && !this.list.pending.length && !uploadsIn(this.roomId).length;
    const key = isEmpty ? 'empty' : 'start';
    if (this.timeline.start.dataset.shows === key && !this.timeline.start.querySelector('.skeleton')) return;
    this.timeline.start.dataset.shows = key;
    this.timeline.start.classList.toggle('is-empty', isEmpty);
    fill(this.timeline.start, isEmpty ? emptyRoom(this.room, () => this.composer.focus()) : roomStart(this.room));
  }

  editLast() {
    const mine = this.list.messages.findLast(mayEdit);
    if (mine) this.edit(mine);
    return Boolean(mine);
  }

  async edit(message) {
    const { editMessage } = await atHand();
    this.timeline.willChange();
    const element = this.list.element(message.id);
    if (!element) return;
    const cameFrom = element.contains(document.activeElement) ? element : null;
    editMessage(element, this.list.message(message.id), (saved) => {
      this.timeline.willChange();
      // An event may have brought a later edit.
      if (saved && !(this.list.message(message.id)?.edited_at > saved.edited_at)) this.replace(saved);
      if (cameFrom?.isConnected) cameFrom.focus({ preventScroll: true });
      else this.toComposer();
      requestAnimationFrame(() => this.isConnected && this.timeline.scrolled());
    });
    this.timeline.hold(message.id);
  }

  toComposer() {
    this.querySelector('.composer-input')?.focus();
  }

  /** Page Up moves from the composer to the messages. */
  pressed(event) {
    if (event.key !== 'PageUp' || !event.target.closest('.composer') || event.defaultPrevented) return;
    event.preventDefault();
    this.actions.enter();
  }
}

customElements.define('camp-room', CampRoom);
