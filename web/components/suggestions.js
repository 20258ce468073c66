// Suggestions for what is typed into the composer. They come with the first text that may want them.

import { atHand } from '../lazy.js';

/** What begins a mention, a sound or an emoji. */
const SIGNS = /[@/:]/;

/** Suggestions for `input`, which stand in `place`: `{update(), take(event), close()}`. `onpick({from, to, text})` is told what was chosen. */
export function suggestions(input, place, { room, members, names, onpick }) {
  let list = null;
  let coming = null;
  const come = async () => {
    const { completion, emojiSource, mentionSource, slashSource } = await atHand();
    list = completion(input, [slashSource(), mentionSource(room, members, names), emojiSource()]);
    list.element.addEventListener('pick', ({ detail }) => onpick(detail));
    place.prepend(list.element, list.told);
    list.update();
  };
  return {
    update: () => {
      if (list) list.update();
      // Where they cannot come, that is said once.
      else if (SIGNS.test(input.value)) coming ??= come().catch(() => {});
    },
    take: (event) => list !== null && list.take(event),
    close: () => list?.close(),
  };
}
