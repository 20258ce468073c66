// The words and filters of a search, read as the server does: `in:"All Talk" from:ana has:file before:2026-11-24 coffee`.

const KEYS = ['in', 'from', 'has', 'before', 'after', 'on'];
const KINDS = ['file', 'image', 'video', 'audio', 'link', 'sound'];

/** Signs that people put before a name. */
const SIGNS = { in: /^#+/, from: /^@+/ };

const DOUBLE_QUOTES = /[“”„‟«»＂「」『』｢｣《》〈〉〝〞〟❝❞⹂]/gu;
/** Single quotes are also apostrophes: only a pair around whole words is quotes. */
const SINGLE_QUOTES = /(^|\s)[‘‚‛‹›](\S|\S.*?\S)[’‘›‹](?=\s|$)/gu;
/** Within an abbreviation of Hebrew it is no quote. */
const HEBREW_QUOTE = /(?<=[א-ת])"(?=[א-ת])/gu;

/** With each quote as `"`: phones and other languages write others. */
const straight = (text) => text.replace(HEBREW_QUOTE, '״').replace(DOUBLE_QUOTES, '"').replace(SINGLE_QUOTES, '$1"$2"');

function isDay(text) {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`);
  // JavaScript takes the 30th of February for the 2nd of March.
  return Boolean(day) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

function isFilter(key, value) {
  if (!KEYS.includes(key) || !value) return false;
  if (key === 'has') return KINDS.includes(value.toLowerCase());
  return key in SIGNS || isDay(value);
}

/** `{words, filters: [{key, value}]}`. What the server would not accept as a filter is a word. */
export function parseQuery(text) {
  const words = [];
  const filters = [];
  for (const part of straight(text).match(/(?:[^\s"]|"[^"]*"?)+/g) || []) {
    const split = part.indexOf(':');
    const key = part.slice(0, split).toLowerCase();
    const value = part.slice(split + 1).replace(/^"+|"+$/g, '').trim().replace(SIGNS[key] || '', '');
    if (split > 0 && isFilter(key, value)) filters.push({ key, value });
    else words.push(part);
  }
  return { words: words.join(' '), filters };
}

export function writeQuery({ words, filters }) {
  // A quote in a name would begin a phrase.
  const written = filters.map(({ key, value }) => [key, value.replaceAll('"', '')]).map(([key, value]) => `${key}:${/\s/.test(value) ? `"${value}"` : value}`);
  return [...written, words].filter(Boolean).join(' ');
}

/** The same search with its filters of these keys replaced by `added`. */
export function refined(text, keys, added) {
  const { words, filters } = parseQuery(text);
  return writeQuery({ words, filters: [...filters.filter(({ key }) => !keys.includes(key)), ...added] });
}

/** The days of the filters as moments, by this device's time: `{from, until}`, each undefined where no filter bounds it. */
export function momentsOf(filters) {
  const start = (day, after = 0) => {
    const [year, month, date] = day.split('-').map(Number);
    return new Date(year, month - 1, date + after);
  };
  let from;
  let until;
  for (const { key, value } of filters) {
    if (key === 'before') until = until < start(value) ? until : start(value);
    if (key === 'after') from = from > start(value, 1) ? from : start(value, 1);
    if (key === 'on') [from, until] = [start(value), start(value, 1)];
  }
  return { from: from?.toISOString(), until: until?.toISOString() };
}

/** The date so many days ago, as the server writes it. */
export function dayBefore(days) {
  const date = new Date();
  date.setDate(date.getDate() - days);
  return [date.getFullYear(), String(date.getMonth() + 1).padStart(2, '0'), String(date.getDate()).padStart(2, '0')].join('-');
}
