// Times, names and sizes in the user's language.

import { language, texts } from './texts.js';

/** The user's regional variant of the language that is shown. */
const locale = (navigator.languages || []).find((tag) => tag.slice(0, 2).toLowerCase() === language()) || language();

/** A date formatter, made at its first use because that is slow. */
function written(options) {
  let format = null;
  return (date) => (format ??= new Intl.DateTimeFormat(locale, options)).format(date);
}

export const timeOfDay = written({ hour: 'numeric', minute: '2-digit' });
export const fullTime = written({ dateStyle: 'full', timeStyle: 'short' });
const dayName = written({ weekday: 'long', day: 'numeric', month: 'long' });
const dayAndYear = written({ day: 'numeric', month: 'long', year: 'numeric' });

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

export const firstName = (name) => name.split(/\s+/)[0];

const encoder = new TextEncoder();
/** The length of a text in UTF-8, in bytes, as the server counts it. */
export const byteLength = (text) => encoder.encode(text).length;

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
