// Finding names: each typed word has to begin one of the name's words.

const known = new Map();
const MOST_KNOWN = 20000;

/** Letters with a stroke and the like, which Unicode does not take apart. */
const BASE = { ł: 'l', ø: 'o', đ: 'd', ħ: 'h', ı: 'i', ß: 'ss', æ: 'ae', œ: 'oe' };

/** Without case and accents. */
export const plain = (text) => text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').replace(/[łøđħıßæœ]/g, (letter) => BASE[letter]);

/** The words of a name, cached: each key typed looks through up to ten thousand names. */
function wordsOf(name) {
  let words = known.get(name);
  if (!words) {
    if (known.size >= MOST_KNOWN) known.clear();
    words = plain(name).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
    known.set(name, words);
  }
  return words;
}

/** The words of a typed text, to match against many names. */
export const typedWords = (typed) => plain(typed).split(/[^\p{L}\p{N}]+/u).filter(Boolean);

export function fits(name, typed) {
  if (!typed.length) return true;
  const words = wordsOf(name);
  return typed.every((wanted) => words.some((word) => word.startsWith(wanted)));
}

/** True where the name itself begins so: such names come first. */
export const begins = (name, typed) => typed.length > 0 && (wordsOf(name)[0] || '').startsWith(typed[0]);
