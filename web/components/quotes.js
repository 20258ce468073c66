// Loads quoted messages that are not among the loaded ones.

/** `timeline` shows the replies; quotes that are loaded later are drawn into them. */
export class Quotes {
  constructor() {
    /** By id: the message, null if it was deleted, undefined while it is fetched. */
    this.known = new Map();
  }

  show(timeline) {
    this.timeline = timeline;
  }

  of(id) {
    return id ? this.timeline?.list.message(id) || this.known.get(id) : undefined;
  }

  /** Quoted messages among these need not be fetched. */
  learn(messages) {
    const answered = new Set(messages.map((message) => message.reply_to_id));
    for (const message of messages) if (answered.has(message.id)) this.known.set(message.id, message);
  }

  /** Fetches the missing ones. */
  async ask() {
    const { list } = this.timeline;
    const wanted = new Set(list.messages.map((message) => message.reply_to_id).filter((id) => id && !list.has(id) && !this.known.has(id)));
    for (const id of wanted) this.known.set(id, undefined);
    await Promise.all([...wanted].map((id) => this.fetch(id)));
  }

  /** The page around a deleted message holds only others. */
  async fetch(id) {
    const page = await this.timeline.fetchPage(`?around=${id}&limit=1`).catch(() => null);
    if (!page) return void this.known.delete(id);
    this.known.set(id, page.messages.find((message) => message.id === id) || null);
    this.redraw(id);
  }

  gone(id) {
    this.known.set(id, null);
    this.redraw(id);
  }

  redraw(id) {
    this.timeline.willChange();
    this.timeline.list.redrawPeople((message) => message.reply_to_id === id);
  }
}
