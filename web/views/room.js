// A room: what was said, what is being said, and where to say it.

import { get, patch, post, put, remove } from '../api.js';
import { composer } from '../components/composer.js';
import { confirmDialog, openDialog, openMenu } from '../components/dialog.js';
import { avatar } from '../components/avatar.js';
import { choosePeople } from '../components/dialogs.js';
import { field, form } from '../components/field.js';
import { emptyElement, messageElement, pendingElement } from '../components/message.js';
import { fill, h, icon, iconButton } from '../dom.js';
import { dayKey, dayLabel } from '../format.js';
import { join, leave, listen, say } from '../live.js';
import { discard, enqueue, onConfirmed, pendingIn, retry, settled } from '../outbox.js';
import { go } from '../routes.js';
import { dropRoom, others, person, putRoom, readUpTo, roomName, state, watch } from '../store.js';
import { texts } from '../texts.js';

const MOST = 500;
const GROUP_WITHIN = 5 * 60 * 1000;
const INVOLVEMENTS = ['mentions', 'everything', 'nothing', 'invisible'];
const BELLS = { mentions: 'bell', everything: 'bellAll', nothing: 'bellOff', invisible: 'eyeOff' };

/** The pages of rooms that were open before: they paint at once when one comes back. */
const remembered = new Map();

export class CampRoom extends HTMLElement {
  connectedCallback() {
    this.className = 'room-view';
    this.roomId = Number(this.getAttribute('room'));
    this.target = Number(this.getAttribute('message')) || 0;
    this.messages = [];
    this.quotes = new Map();
    this.hasBefore = false;
    this.hasAfter = false;
    this.unreadFrom = this.room.membership.unread_count ? (this.room.membership.last_read_message_id || 0) : Infinity;
    this.build();
    this.stops = [
      watch(['rooms', 'users', 'presence'], () => this.drawHead()),
      watch(['typing'], () => this.drawTyping()),
      watch(['outbox', 'connection'], () => this.drawPending()),
      listen((event) => this.take(event)),
      onConfirmed((message) => this.add(message)),
    ];
    this.open();
  }

  disconnectedCallback() {
    this.stops.forEach((stop) => stop());
    leave();
    if (!this.hasAfter && this.messages.length) remembered.set(this.roomId, { messages: this.messages.slice(-50), hasBefore: this.hasBefore || this.messages.length > 50 });
  }

  get room() {
    return state.rooms.get(this.roomId);
  }

  build() {
    this.head = h('header', { class: 'room-head' });
    this.log = h('div', { class: 'log', role: 'log', 'aria-live': 'polite', 'aria-relevant': 'additions', 'aria-label': roomName(this.room) });
    this.pending = h('div', { class: 'log' });
    this.scroll = h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': roomName(this.room) }, h('div', { class: 'log-space' }), this.log, this.pending);
    this.newest = h('button', { type: 'button', class: 'newest', hidden: true, onclick: () => this.goNewest() }, icon('down'), h('span', {}, texts.newest));
    this.typingLine = h('div', { class: 'typing', 'aria-live': 'polite' });
    this.composer = composer(this.room, {
      send: (content, replyTo) => this.send(content, replyTo),
      editLast: () => this.editLast(),
      members: () => this.members(),
    });
    this.scroll.addEventListener('scroll', () => this.scrolled(), { passive: true });
    fill(this, this.head, h('div', { class: 'scroll-frame' }, this.scroll, this.newest), h('div', { class: 'room-foot' }, this.typingLine, this.composer.element));
    this.drawHead();
    // Pictures and the phone's keyboard change the height; who was at the end stays there.
    this.resized = new ResizeObserver(() => { if (this.atEnd) this.toEnd(); });
    this.resized.observe(this.scroll);
    this.resized.observe(this.log);
    this.atEnd = true;
  }

  /** The first page, or the one around the message that the address names. */
  async open() {
    const before = remembered.get(this.roomId);
    if (before && !this.target) this.setMessages(before.messages, before.hasBefore, false);
    else fill(this.log, skeleton());
    try {
      const page = await get(`/api/rooms/${this.roomId}/messages${this.target ? `?around=${this.target}` : ''}`);
      if (!this.isConnected) return;
      this.setMessages(page.messages, page.has_before, page.has_after);
    } catch (problem) {
      if (this.isConnected && !before) fill(this.log, emptyElement(texts.loadFailed, problem.message, h('button', { type: 'button', class: 'button', onclick: () => this.open() }, texts.retry)));
      return;
    }
    join(this.roomId, this.messages.at(-1)?.id ?? state.seq);
    if (this.target) this.show(this.target);
    else this.toEnd();
    this.composer.focus();
    this.markRead();
  }

  setMessages(messages, hasBefore, hasAfter) {
    this.messages = messages;
    this.hasBefore = hasBefore;
    this.hasAfter = hasAfter;
    this.draw();
    if (!this.target) this.toEnd();
    this.fetchQuotes();
  }

  take(event) {
    const { message } = event;
    if (event.type === 'back' || event.type === 'afresh') {
      if (event.type === 'afresh') this.refresh();
      return;
    }
    if (message && message.room_id !== this.roomId) return;
    if (event.type === 'message.created') this.add(message);
    else if (event.type === 'message.updated') this.replace(message);
    else if (event.type === 'message.deleted' && event.room_id === this.roomId) {
      this.messages = this.messages.filter((known) => known.id !== event.message_id);
      this.draw();
    }
  }

  async refresh() {
    const page = await get(`/api/rooms/${this.roomId}/messages`).catch(() => null);
    if (page && this.isConnected) this.setMessages(page.messages, page.has_before, page.has_after);
  }

  /** Takes a new message in, once, in its place. */
  add(message) {
    if (message.room_id !== this.roomId) return;
    if (message.client_message_id) settled(message.client_message_id);
    if (this.hasAfter || this.messages.some((known) => known.id === message.id)) return;
    const follows = this.atEnd;
    this.messages.push(message);
    this.messages.sort((a, b) => a.id - b.id);
    if (this.messages.length > MOST && follows) {
      this.messages.splice(0, this.messages.length - MOST);
      this.hasBefore = true;
    }
    this.draw();
    this.fetchQuotes();
    if (follows || message.creator_id === state.me.id) this.toEnd();
    else this.newest.hidden = false;
    this.markRead();
  }

  replace(message) {
    const place = this.messages.findIndex((known) => known.id === message.id);
    if (place < 0) return;
    this.messages[place] = message;
    this.log.querySelector(`[data-id="${message.id}"]`)?.remove();
    this.draw();
  }

  /** Quoted messages that are not on the page are asked for. */
  async fetchQuotes() {
    const wanted = [...new Set(this.messages.map((message) => message.reply_to_id))].filter((id) => id && !this.quotes.has(id) && !this.messages.some((known) => known.id === id));
    for (const id of wanted.slice(0, 20)) {
      this.quotes.set(id, null);
      const found = await get(`/api/messages/${id}`).catch(() => null);
      if (!found) continue;
      this.quotes.set(id, found);
      this.messages.filter((message) => message.reply_to_id === id).forEach((message) => this.log.querySelector(`[data-id="${message.id}"]`)?.remove());
      this.draw();
    }
  }

  /** Brings the list in line with the messages; what is there already is kept. */
  draw() {
    const known = new Map([...this.log.children].filter((child) => child.dataset.key).map((child) => [child.dataset.key, child]));
    const wanted = [];
    let before = null;
    for (const message of this.messages) {
      const at = new Date(message.created_at);
      if (!before || dayKey(new Date(before.created_at)) !== dayKey(at)) {
        wanted.push(this.line(known, `day-${dayKey(at)}`, 'day', dayLabel(at)));
        before = null;
      }
      if (message.id > this.unreadFrom && message.creator_id !== state.me.id && !this.lineAt) this.lineAt = message.id;
      if (message.id === this.lineAt) {
        wanted.push(this.line(known, 'new', 'day is-new', texts.new));
        before = null;
      }
      const first = !before || before.creator_id !== message.creator_id || at - new Date(before.created_at) > GROUP_WITHIN || Boolean(message.reply_to_id);
      const key = `${message.id}-${first}-${message.edited_at || ''}`;
      let element = known.get(key);
      if (!element) {
        const quoted = message.reply_to_id ? this.messages.find((other) => other.id === message.reply_to_id) || this.quotes.get(message.reply_to_id) : null;
        element = messageElement(message, { first, quoted, actions: this });
        element.dataset.key = key;
      }
      wanted.push(element);
      before = message;
    }
    if (!wanted.length) wanted.push(this.emptyRoom());
    // Only what differs is moved, so that nothing flickers and the selection stays.
    let cursor = this.log.firstChild;
    for (const element of wanted) {
      if (element === cursor) cursor = cursor.nextSibling;
      else this.log.insertBefore(element, cursor);
    }
    while (cursor) {
      const next = cursor.nextSibling;
      cursor.remove();
      cursor = next;
    }
    this.drawPending();
  }

  line(known, key, kind, text) {
    const element = known.get(key) || h('div', { class: kind, role: 'separator', 'data-key': key }, h('span', {}, text));
    return element;
  }

  emptyRoom() {
    const isFirst = state.account?.join_code && state.users.size === 1;
    const link = `${location.origin}/join/${state.account?.join_code}`;
    return isFirst
      ? emptyElement(texts.emptyRoom, texts.welcome(state.account.name), h('code', { class: 'join-link' }, link),
        h('button', { type: 'button', class: 'button', onclick: (event) => { navigator.clipboard?.writeText(link); event.target.textContent = texts.copied; } }, texts.copyLink))
      : emptyElement(texts.emptyRoom, texts.emptyRoomHint);
  }

  drawPending() {
    const items = pendingIn(this.roomId).filter((item) => !this.messages.some((message) => message.client_message_id === item.id));
    fill(this.pending, items.map((item) => pendingElement(item, { retry: () => retry(item.id), discard: () => discard(item.id) })));
    if (items.length && this.atEnd) this.toEnd();
  }

  drawHead() {
    const { room } = this;
    if (!room) return;
    const present = [...(state.present.get(this.roomId) || [])].filter((id) => id !== state.me.id).map(person);
    const people = room.kind === 'direct' ? others(room) : [];
    const reading = room.kind === 'direct'
      ? (people.some((user) => state.online.has(user.id)) ? texts.online : texts.offline)
      : [present.length ? texts.reading(present.length + 1) : null, texts.people(room.member_count)].filter(Boolean).join(' · ');
    const { involvement } = room.membership;
    const focused = document.activeElement?.dataset?.head;
    fill(this.head,
      h('a', { href: '/', class: 'icon-button back', 'aria-label': texts.backToRooms }, icon('back')),
      h('div', { class: 'room-title' }, h('h1', {}, roomName(room)), h('p', {}, reading)),
      h('div', { class: 'stack', 'aria-hidden': 'true' }, (room.kind === 'direct' ? people : present).slice(0, 4).map((user) => avatar(user, { size: 'tiny' }))),
      iconButton(BELLS[involvement], texts.involvement[involvement], () => this.cycle(), { 'data-head': 'bell', 'data-involvement': involvement }),
      iconButton('more', texts.roomMenu, (event) => this.menu(event.currentTarget), { 'aria-haspopup': 'menu', 'data-head': 'menu' }));
    if (focused) this.head.querySelector(`[data-head="${focused}"]`)?.focus();
    this.composer.rename();
  }

  drawTyping() {
    const people = [...(state.typing.get(this.roomId)?.keys() || [])].filter((id) => id !== state.me.id);
    this.typingLine.textContent = people.length ? texts.typing(people.map((id) => person(id).name)) : '';
  }

  async cycle() {
    const { involvement } = this.room.membership;
    const next = INVOLVEMENTS[(INVOLVEMENTS.indexOf(involvement) + 1) % INVOLVEMENTS.length];
    putRoom({ ...this.room, membership: await put(`/api/rooms/${this.roomId}/involvement`, { involvement: next }) });
  }

  menu(anchor) {
    const { room } = this;
    const mayChange = state.me.role === 'admin' || room.creator_id === state.me.id;
    openMenu(anchor, [
      room.kind !== 'direct' && mayChange && { label: texts.rename, onclick: () => this.rename() },
      { label: texts.members, onclick: () => this.showMembers(mayChange) },
      room.kind === 'closed' && { label: texts.leaveRoom, onclick: () => this.leaveRoom() },
      (room.kind === 'direct' || mayChange) && { label: texts.deleteRoom, danger: true, onclick: () => this.deleteRoom() },
    ]);
  }

  rename() {
    const { room } = this;
    openDialog(texts.roomMenu, (close) => form([
      field('name', texts.roomName, { value: room.name, maxlength: 100, autofocus: true }),
      h('fieldset', { class: 'choices' }, [['open', texts.kindOpen], ['closed', texts.kindClosed]].map(([value, label]) => h('label', { class: 'choice' },
        h('input', { type: 'radio', name: 'kind', value, '.checked': room.kind === value }), label))),
    ], texts.save, async ({ name, kind }) => {
      putRoom(await patch(`/api/rooms/${room.id}`, { name, kind }));
      close();
    }));
  }

  async showMembers(mayChange) {
    const { members } = await get(`/api/rooms/${this.roomId}/members`);
    openDialog(texts.members, (close) => {
      if (!(mayChange && this.room.kind === 'closed')) {
        return h('div', { class: 'people' }, members.map((user) => h('div', { class: 'person' }, avatar(user, { size: 'small' }), h('span', {}, user.name))));
      }
      const chosen = new Set(members.map((user) => user.id));
      return h('div', {}, choosePeople(chosen), form([], texts.save, async () => {
        await put(`/api/rooms/${this.roomId}/members`, { user_ids: [...chosen] });
        close();
      }));
    });
  }

  async leaveRoom() {
    const { members } = await get(`/api/rooms/${this.roomId}/members`);
    await put(`/api/rooms/${this.roomId}/members`, { user_ids: members.map((user) => user.id).filter((id) => id !== state.me.id) });
    dropRoom(this.roomId);
  }

  deleteRoom() {
    confirmDialog(texts.confirmDeleteRoom, texts.deleteRoom, async () => {
      await remove(`/api/rooms/${this.roomId}`);
      dropRoom(this.roomId);
    });
  }

  /** Those who may be mentioned: who spoke last comes first. */
  members() {
    const ids = this.room.member_ids || [...state.users.keys()];
    const spoke = new Map(this.messages.map((message) => [message.creator_id, message.id]));
    return ids.map(person).filter((user) => user.status === 'active' && user.id !== state.me.id)
      .sort((a, b) => (spoke.get(b.id) || 0) - (spoke.get(a.id) || 0) || a.name.localeCompare(b.name));
  }

  send(content, replyTo) {
    this.unreadFrom = Infinity;
    if (this.hasAfter) this.goNewest();
    this.atEnd = true;
    enqueue(this.roomId, content, replyTo);
    this.toEnd();
  }

  reply(message) {
    this.composer.setReply(message);
  }

  editLast() {
    const mine = this.messages.findLast((message) => message.creator_id === state.me.id);
    if (mine) this.edit(mine);
    return Boolean(mine);
  }

  edit(message) {
    const element = this.log.querySelector(`[data-id="${message.id}"]`);
    const body = element?.querySelector('.message-body');
    if (!body || body.querySelector('.edit-box')) return;
    const input = h('textarea', { class: 'edit-box', 'aria-label': texts.edit, '.value': message.content, rows: Math.min(12, message.content.split('\n').length + 1) });
    const wrong = h('p', { class: 'field-error', role: 'alert' });
    const before = [...body.childNodes];
    const done = () => {
      fill(body, before);
      this.composer.focus();
    };
    const save = async () => {
      if (input.value.trim() === message.content) return done();
      try {
        this.replace(await patch(`/api/messages/${message.id}`, { content: input.value }));
        this.composer.focus();
      } catch (problem) {
        wrong.textContent = problem.message;
      }
    };
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') done();
      else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        save();
      }
    });
    fill(body, input, wrong, h('div', { class: 'row' }, h('button', { type: 'button', class: 'button button-primary button-small', onclick: save }, texts.save), h('button', { type: 'button', class: 'button button-small', onclick: done }, texts.cancel)));
    input.focus();
    input.setSelectionRange(input.value.length, input.value.length);
  }

  more(message, anchor) {
    const mayChange = message.creator_id === state.me.id || state.me.role === 'admin';
    openMenu(anchor, [
      { label: texts.copyLink, onclick: () => navigator.clipboard?.writeText(`${location.origin}/rooms/${message.room_id}/@${message.id}`) },
      mayChange && { label: texts.edit, onclick: () => this.edit(message) },
      mayChange && { label: texts.remove, danger: true, onclick: () => confirmDialog(texts.confirmRemove, texts.remove, () => remove(`/api/messages/${message.id}`)) },
    ]);
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    this.atEnd = scrollHeight - scrollTop - clientHeight < 60 && !this.hasAfter;
    this.newest.hidden = scrollHeight - scrollTop - clientHeight < 400 && !this.hasAfter;
    if (this.atEnd) this.markRead();
    if (scrollTop < 600 && this.hasBefore) this.page('before');
    else if (scrollHeight - scrollTop - clientHeight < 600 && this.hasAfter) this.page('after');
  }

  /** Loads on at one end, lets go at the other; the place that is looked at does not move. */
  async page(edge) {
    if (this.paging || !this.messages.length) return;
    this.paging = true;
    const from = edge === 'before' ? this.messages[0].id : this.messages.at(-1).id;
    const page = await get(`/api/rooms/${this.roomId}/messages?${edge}=${from}`).catch(() => null);
    if (page && this.isConnected) {
      const anchor = [...this.log.querySelectorAll('.message')].find((element) => element.getBoundingClientRect().bottom > this.scroll.getBoundingClientRect().top);
      const id = anchor?.dataset.id;
      const before = anchor?.getBoundingClientRect().top;
      if (edge === 'before') {
        this.messages = [...page.messages, ...this.messages];
        this.hasBefore = page.has_before;
        if (this.messages.length > MOST) {
          this.messages.length = MOST;
          this.hasAfter = true;
        }
      } else {
        this.messages = [...this.messages, ...page.messages];
        this.hasAfter = page.has_after;
        if (this.messages.length > MOST) {
          this.messages.splice(0, this.messages.length - MOST);
          this.hasBefore = true;
        }
      }
      this.draw();
      const after = id && this.log.querySelector(`[data-id="${id}"]`)?.getBoundingClientRect().top;
      if (after !== undefined && before !== undefined) this.scroll.scrollTop += after - before;
      this.fetchQuotes();
    }
    this.paging = false;
  }

  async goNewest() {
    if (this.hasAfter) await this.refresh();
    this.atEnd = true;
    this.toEnd();
    this.newest.hidden = true;
    if (this.target) go(`/rooms/${this.roomId}`, { replace: true });
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  show(id) {
    const element = this.log.querySelector(`[data-id="${id}"]`);
    this.atEnd = false;
    element?.scrollIntoView({ block: 'center' });
    element?.classList.add('is-shown');
    element?.focus({ preventScroll: true });
  }

  markRead() {
    const last = this.messages.at(-1)?.id;
    if (!last || this.hasAfter || document.visibilityState !== 'visible' || !this.room) return;
    if ((this.room.membership.last_read_message_id || 0) >= last && !this.room.membership.unread_count) return;
    readUpTo(this.roomId, last);
    if (!say({ type: 'read', room_id: this.roomId, message_id: last })) post(`/api/rooms/${this.roomId}/read`, { message_id: last }).catch(() => {});
  }
}

/** The shape of what is coming. */
function skeleton() {
  return [62, 38, 74, 50].map((width) => h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i', { class: 'skeleton-face' }), h('i', { class: `skeleton-line w${width}` })));
}

customElements.define('camp-room', CampRoom);
