// What of a room is read: all, once its newest message is in sight.

import { post } from '../api.js';
import { say } from '../live.js';
import { mentionsMe } from '../mentions.js';
import { addUnread, readUpTo, state } from '../store.js';

/** The server is told once for several messages. */
const TOLD_AFTER_MS = 200;

export class ReadMarks {
  constructor(roomId, timeline) {
    this.roomId = roomId;
    this.timeline = timeline;
    this.untold = 0;
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
    // A newer one may have been known that is deleted now.
    room.last_message_id = last;
    if ((membership.last_read_message_id || 0) >= last && !membership.unread_count) return;
    readUpTo(this.roomId, last);
    this.untold = last;
    this.timer ||= setTimeout(() => this.tell(), TOLD_AFTER_MS);
  }

  tell() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (!this.untold) return;
    const message = { room_id: this.roomId, message_id: this.untold };
    this.untold = 0;
    if (!say({ type: 'read', ...message })) post(`/api/rooms/${this.roomId}/read`, { message_id: message.message_id }).catch(() => {});
  }

  /** Takes in what others wrote. What comes while nobody looks is unread, and the line for what is new stands above it. */
  count(theirs) {
    if (!theirs.length) return;
    if (this.isSeen) return void this.mark();
    const isFirst = !state.rooms.get(this.roomId)?.membership.unread_count;
    for (const message of theirs) addUnread(this.roomId, message.id, mentionsMe(message));
    if (isFirst && document.visibilityState !== 'visible') this.timeline.setNew(theirs[0].id - 1, 0);
  }

  visibilityChanged() {
    if (document.visibilityState === 'visible') this.mark();
    else this.tell();
  }
}
