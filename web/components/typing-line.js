// Who is typing in a room.

import { h } from '../dom.js';
import { isolated } from '../format.js';
import { person, state } from '../store.js';
import { texts } from '../texts.js';

/** `{element, draw()}`. */
export function typingLine(roomId) {
  const element = h('div', { class: 'typing', 'aria-live': 'off' });
  const draw = () => {
    const people = [...(state.typing.get(roomId)?.keys() || [])].filter((id) => id !== state.me.id);
    const words = people.length ? texts.room.typing(people.map((id) => isolated(person(id).name))) : '';
    if (element.textContent !== words) element.textContent = words;
  };
  return { element, draw };
}
