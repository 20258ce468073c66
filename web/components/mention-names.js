// Mentions show the names that their users have now.

import { person, state } from '../store.js';

export function nameMentions(element) {
  for (const mention of element.querySelectorAll('.mention[data-user-id]')) {
    const id = Number(mention.dataset.userId);
    const name = `@${person(id).name}`;
    if (mention.textContent !== name) mention.textContent = name;
    mention.translate = false;
    mention.classList.toggle('is-me', id === state.me.id);
  }
}
