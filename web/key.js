// What a key event means, whatever the input method and the layout.

/**
 * Whether the key belongs to an input method that is composing a word, as for Japanese, Chinese or Korean. Safari ends the
 * composition before the Enter that confirms it, and tells only by the key code.
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** The key for a shortcut, in lower case: with letters that are not Latin it is the one at this place of the keyboard. */
export function shortcutOf({ key, code }) {
  const letter = /^Key([A-Z])$/.exec(code || '')?.[1];
  const isForeign = /[\p{L}\p{M}]/u.test(key) && !/\p{Script=Latin}/u.test(key);
  return (letter && isForeign ? letter : key).toLowerCase();
}
