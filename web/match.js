// Finding names: each typed word has to begin one of the name's words.

const known = new Map();
const MOST_KNOWN = 20000;

/** Letters with a stroke and the like, which Unicode does not take apart. */
const BASE = {
  ł: 'l', ø: 'o', đ: 'd', ð: 'd', ħ: 'h', ı: 'i', ß: 'ss', æ: 'ae', œ: 'oe', þ: 'th', ŋ: 'n', ŧ: 't', ƒ: 'f', ə: 'e', ɛ: 'e', ɔ: 'o', ɓ: 'b', ɗ: 'd', ƙ: 'k', ƴ: 'y', ɨ: 'i', ʉ: 'u', ƶ: 'z', ȼ: 'c', ĸ: 'k',
  ς: 'σ', ґ: 'г',
};
const LETTERS = new RegExp(`[${Object.keys(BASE).join('')}]`, 'g');

/** Accents, Hebrew points, Arabic vowels. The vowel signs of Indian and other scripts are letters like any, and so are the marks of Japanese. */
const MARKS = /(?=\p{M})(?![\u3099\u309A])[\p{Script=Inherited}\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}]/gu;

/** What cannot be seen, or only lengthens a letter. */
const UNSEEN = /[\u00AD\u061C\u0640\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFE00-\uFE0F\uFEFF]/g;

/** Phones write a curly one by themselves. */
const APOSTROPHES = /[\u0060\u00B4\u02B9\u02BB\u02BC\u02BE\u02BF\u2018\u2019\u201B\u2032\u05F3\uA78C]/g;

/** Without case, accents and width, so that what sounds alike is alike. Every comparison of names goes by this. */
export function plain(text) {
  const apart = text.replace(APOSTROPHES, "'").normalize('NFKD').toLowerCase().normalize('NFKD').replace(MARKS, '').replace(UNSEEN, '');
  return apart.replace(LETTERS, (letter) => BASE[letter]);
}

/** The words of a plain text. `O'Brien` is also one word. */
function words(text) {
  const parts = text.split(/[^\p{L}\p{N}\p{M}]+/u).filter(Boolean);
  if (!text.includes("'")) return parts;
  return [...new Set([...parts, ...text.replaceAll("'", '').split(/[^\p{L}\p{N}\p{M}]+/u).filter(Boolean)])];
}

/** The words of a name, cached: each key typed looks through up to ten thousand names. */
function wordsOf(name) {
  let found = known.get(name);
  if (!found) {
    if (known.size >= MOST_KNOWN) known.clear();
    found = words(plain(name));
    known.set(name, found);
  }
  return found;
}

/** The words of a typed text, to match against many names. */
export const typedWords = (typed) => plain(typed).split(/[^\p{L}\p{N}\p{M}]+/u).filter(Boolean);

export function fits(name, typed) {
  if (!typed.length) return true;
  const found = wordsOf(name);
  return typed.every((wanted) => found.some((word) => word.startsWith(wanted)));
}

/** True where the name itself begins so: such names come first. */
export const begins = (name, typed) => typed.length > 0 && (wordsOf(name)[0] || '').startsWith(typed[0]);

/** Whether consecutive words of the name begin with what was typed, which may end within a word. */
export function beginsWithin(name, typed) {
  // Signs count where they are typed: the dot after a name ends it.
  const part = SIGNS.test(typed) ? plain : joined;
  const wanted = part(typed);
  const found = part(name);
  for (let at = 0; at >= 0 && at <= found.length; at = nextWord(found, at)) if (found.startsWith(wanted, at)) return true;
  return false;
}

const SIGNS = /[^\p{L}\p{N}\p{M}\s'’]/u;

/** Where the next word of a plain text begins; -1 after the last. */
function nextWord(text, from) {
  const found = /[^\p{L}\p{N}\p{M}']+(?=.)/u.exec(text.slice(from + 1));
  return found ? from + 1 + found.index + found[0].length : -1;
}

/** How well a name fits: 0 is the name itself, 1 a whole word of it, 2 the beginning of one. */
export function rankOf(name, typed) {
  const wanted = joined(typed);
  const found = joined(name);
  if (!wanted || found === wanted) return wanted ? 0 : 2;
  return ` ${found} `.includes(` ${wanted} `) ? 1 : 2;
}

/** Words with one space between them. */
const joined = (text) => plain(text).replaceAll("'", '').split(/[^\p{L}\p{N}\p{M}]+/u).filter(Boolean).join(' ');
