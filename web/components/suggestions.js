// Completion for a text field, loaded with the first text that may need it.

import { atHand } from '../lazy.js';

/** The characters that begin a mention, a command or an emoji. */
const SIGNS = /[@/:]/;

/** Completion for `input`, shown in `place`: `{update(), take(event), close()}`. `onpick({from, to, text})` gets the choice. */
export function suggestions(input, place, { room, members, names, onpick }) {
  let list = null;
  let coming = null;
  const come = async () => {
    const { completion, emojiSource, mentionSource, slashSource } = await atHand();
    list = completion(input, [slashSource(), mentionSource(room, members, names), emojiSource()]);
    list.element.addEventListener('pick', ({ detail }) => onpick(detail));
    place.prepend(list.element, list.status);
    list.update();
  };
  return {
    update: () => {
      if (list) list.update();
      // A failure to load is reported once.
      else if (SIGNS.test(input.value)) coming ??= come().catch(() => {});
    },
    take: (event) => list !== null && list.take(event),
    close: () => list?.close(),
  };
}
