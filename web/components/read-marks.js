// Marks a room as read once its newest message is in view, and counts what is unread while it is not.

import { post } from '../api.js';
import { mentionsMe } from '../mentions.js';
import { say } from '../socket.js';
import { addUnread, changeUnread, fetchRoom, readUpTo, state } from '../store.js';

/** One request covers the messages of this time. */
const SEND_AFTER_MS = 200;

export class ReadMarks {
  constructor(roomId, timeline) {
    this.roomId = roomId;
    this.timeline = timeline;
    this.unsent = 0;
    this.timer = 0;
  }

  get room() {
    return state.rooms.get(this.roomId);
  }

  get isSeen() {
    return document.visibilityState === 'visible' && this.timeline.isAtEnd;
  }

  mark() {
    const { room } = this;
    const last = this.timeline.list.newest?.id;
    if (!room || !last || !this.isSeen) return;
    const { membership } = room;
    // What is shown may be remembered: newer messages are about to come.
    if (last < (room.last_message_id || 0)) return;
    if ((membership.last_read_message_id || 0) >= last && !membership.unread_count) return;
    readUpTo(this.roomId, last);
    this.unsent = last;
    this.timer ||= setTimeout(() => this.send(), SEND_AFTER_MS);
  }

  send() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (!this.unsent) return;
    const message = { room_id: this.roomId, message_id: this.unsent };
    this.unsent = 0;
    if (!say({ type: 'read', ...message })) post(`/api/rooms/${this.roomId}/read`, { message_id: message.message_id }).catch(() => {});
  }

  /** Counts what an event changes, before the timeline has it. What nobody sees is unread, and the line for new messages is set above the first. */
  count(event, isSeen) {
    if (event.type === 'message.created' && !isSeen) this.came(event.message);
    if (event.type === 'message.updated') this.edited(event);
    if (event.type === 'message.deleted') this.deleted(event);
  }

  came(message) {
    if (message.creator_id === state.me.id) return;
    const isFirst = !this.room?.membership.unread_count;
    addUnread(this.roomId, message.id, mentionsMe(message));
    if (isFirst && document.visibilityState !== 'visible') this.timeline.setNew(message.id - 1, 0);
  }

  edited({ message, seq }) {
    const before = this.timeline.known(message.id);
    if (!before) return this.askFor(message.id);
    const change = mentionsMe(message) - mentionsMe(before);
    if (change) changeUnread(this.roomId, message.id, 0, change, seq);
  }

  deleted(event) {
    const message = event.mentions ? event : this.timeline.known(event.message_id);
    if (!message) return this.askFor(event.message_id);
    changeUnread(this.roomId, event.message_id, -1, mentionsMe(message) ? -1 : 0, event.seq);
  }

  /** Only the server knows whether this message mentioned me. */
  askFor(id) {
    if (id > (this.room?.membership.last_read_message_id || 0)) fetchRoom(this.roomId);
  }

  visibilityChanged() {
    if (document.visibilityState === 'visible') this.mark();
    else this.send();
  }
}
