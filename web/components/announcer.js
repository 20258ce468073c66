// Announces new messages to screen readers.

import { fill, h } from '../dom.js';
import { person } from '../store.js';
import { texts } from '../texts.js';
import { summary } from './quote.js';

const ANNOUNCED = 3;

/** `{element, tell(messages)}`; `tell` announces the last few, shortened. */
export function announcer() {
  const element = h('div', { class: 'heard', role: 'status', 'aria-live': 'polite' });
  const tell = (messages) => {
    const words = messages.slice(-ANNOUNCED).map((message) => texts.room.announced(person(message.creator_id).name, summary(message)));
    if (words.length) fill(element, words.map((line) => h('p', {}, line)));
  };
  return { element, tell };
}
