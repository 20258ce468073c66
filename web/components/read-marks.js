// Marks a room as read once its newest message is in view.

import { post } from '../api.js';
import { say } from '../live.js';
import { mentionsMe } from '../mentions.js';
import { addUnread, readUpTo, state } from '../store.js';

/** One request covers the messages of this time. */
const SEND_AFTER_MS = 200;

export class ReadMarks {
  constructor(roomId, timeline) {
    this.roomId = roomId;
    this.timeline = timeline;
    this.unsent = 0;
    this.timer = 0;
  }

  get isSeen() {
    return document.visibilityState === 'visible' && this.timeline.isAtEnd;
  }

  mark() {
    const room = state.rooms.get(this.roomId);
    const last = this.timeline.list.newest?.id;
    if (!room || !last || !this.isSeen) return;
    const { membership } = room;
    // The newest message may have been deleted.
    room.last_message_id = last;
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

  /** Handles messages of others. While nobody looks they are unread, and the line for new messages is set above the first. */
  count(theirs) {
    if (!theirs.length) return;
    if (this.isSeen) return void this.mark();
    const isFirst = !state.rooms.get(this.roomId)?.membership.unread_count;
    for (const message of theirs) addUnread(this.roomId, message.id, mentionsMe(message));
    if (isFirst && document.visibilityState !== 'visible') this.timeline.setNew(theirs[0].id - 1, 0);
  }

  visibilityChanged() {
    if (document.visibilityState === 'visible') this.mark();
    else this.send();
  }
}
