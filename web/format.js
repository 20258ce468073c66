// Times, names and sizes in the user's language.

import { language, texts } from './texts.js';

/** The user's regional variant of the language that is shown. */
const locale = (navigator.languages || []).find((tag) => tag.slice(0, 2).toLowerCase() === language()) || language();

/** Counts the time zones that the computer was in. */
let zones = 0;

/** A formatter keeps the time zone in which it was made: from now on, others are used. */
export const forgetZone = () => { zones += 1; };

/** A date formatter, made at its first use because that is slow. */
function written(options) {
  let format = null;
  let of = 0;
  return (date) => {
    if (!format || of !== zones) format = new Intl.DateTimeFormat(locale, options);
    of = zones;
    return format.format(date);
  };
}

export const timeOfDay = written({ hour: 'numeric', minute: '2-digit' });
export const fullTime = written({ dateStyle: 'full', timeStyle: 'short' });
const dayName = written({ weekday: 'long', day: 'numeric', month: 'long' });
const dayAndYear = written({ day: 'numeric', month: 'long', year: 'numeric' });

const weekday = written({ weekday: 'short' });
const shortDay = written({ day: 'numeric', month: 'short' });
const shortDate = written({ day: 'numeric', month: 'numeric', year: '2-digit' });
const DAY_MS = 86400000;

/** When something was, in a few characters: the time today, the day of the last week, the date before. */
export function shortTime(date) {
  const now = new Date();
  if (dayKey(date) === dayKey(now)) return timeOfDay(date);
  if (now - date < 6 * DAY_MS) return weekday(date);
  return (date.getFullYear() === now.getFullYear() ? shortDay : shortDate)(date);
}

export const dayKey = (date) => `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;

export function dayLabel(date) {
  const now = new Date();
  if (dayKey(date) === dayKey(now)) return texts.time.today;
  now.setDate(now.getDate() - 1);
  if (dayKey(date) === dayKey(now)) return texts.time.yesterday;
  return date.getFullYear() === new Date().getFullYear() ? dayName(date) : dayAndYear(date);
}

let order = null;

/** Compares names by the rules of the user's language. One collator serves all comparisons. */
export const compareNames = (a, b) => (order ??= new Intl.Collator(undefined, { sensitivity: 'base', numeric: true })).compare(a, b);

/** A name within a sentence of another direction. */
export const isolated = (name) => `\u2068${name}\u2069`;

export const firstName = (name) => name.split(/\s+/)[0];

const encoder = new TextEncoder();
/** The length of a text in UTF-8, in bytes, as the server counts it. */
export const byteLength = (text) => encoder.encode(text).length;

/** What people count as characters: a family of four is one. */
export function graphemes(text) {
  if (!Intl.Segmenter) return [...text];
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return [...segmenter.segment(text)].map(({ segment }) => segment);
}
let segmenter = null;

/** The beginning of a text, no more characters than these. */
export const cut = (text, most) => (text.length <= most ? text : graphemes(text.slice(0, most * 12)).slice(0, most).join(''));

/** So many code units at the end of a text are counted; before them it is taken to be alike. */
const COUNTED = 4000;

/** The last characters of a text, without what the cut may have torn: a joiner, and what it joined. */
const lastOf = (text) => graphemes(text.slice(-COUNTED)).slice(text.length > COUNTED ? 2 : 0);

/** How many characters at the end of a text have so many bytes, the last one in part. */
export function charactersOver(bytes, text) {
  let size = 0;
  let count = 0;
  for (const character of lastOf(text).reverse()) {
    if (size >= bytes) return count;
    size += byteLength(character);
    count += 1;
  }
  return count ? Math.ceil(bytes * count / size) : bytes;
}

/** How many more characters fit into so many bytes, if they are like those before. */
export function charactersLeft(bytes, text) {
  const end = lastOf(text);
  return Math.floor((bytes * end.length) / Math.max(1, byteLength(end.join(''))));
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];

/** The size of a file to show: `2.3 MB`. */
export function sizeText(bytes) {
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  const amount = bytes / 1024 ** step;
  return new Intl.NumberFormat(language(), { style: 'unit', unit: UNITS[step], unitDisplay: step ? 'short' : 'long', maximumFractionDigits: step > 1 && amount < 10 ? 1 : 0 }).format(amount);
}

const PICTURE = String.raw`(?!\p{Regional_Indicator})(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}(?=[\p{Emoji_Modifier}\u{FE0F}]))[\p{Emoji_Modifier}\u{FE0F}]*[\u{E0020}-\u{E007F}]*`;
const JOINED = String.raw`(?:\u{200D}\p{Extended_Pictographic}[\p{Emoji_Modifier}\u{FE0F}]*)*`;
const EMOJI_ONLY = new RegExp(String.raw`^(?:(?:\p{Regional_Indicator}{2}|[0-9#*]\u{FE0F}?\u{20E3}|${PICTURE}${JOINED}) *){1,12}$`, 'u');

/** A guess of `is_emoji_only` for a message that the server has not answered yet. */
export const looksEmojiOnly = (content) => content.length < 200 && EMOJI_ONLY.test(content);
