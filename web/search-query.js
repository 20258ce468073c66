// The words of a search and its filters, as the server reads them: `in:"All Talk" from:ana has:file before:2026-11-24 coffee`.

const KEYS = ['in', 'from', 'has', 'before', 'after', 'on'];
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const KINDS = ['file', 'image', 'video', 'audio', 'link', 'sound'];

function isFilter(key, value) {
  if (!KEYS.includes(key) || !value) return false;
  if (key === 'has') return KINDS.includes(value.toLowerCase());
  return key === 'in' || key === 'from' || DAY.test(value);
}

/** `{words, filters: [{key, value}]}`. What is no filter that the server knows is a word. */
export function parseQuery(text) {
  const words = [];
  const filters = [];
  for (const part of text.match(/(?:[^\s"]|"[^"]*"?)+/g) || []) {
    const split = part.indexOf(':');
    const key = part.slice(0, split).toLowerCase();
    const value = part.slice(split + 1).replace(/^"|"$/g, '').replace(/^[@#]/, '').trim();
    if (split > 0 && !part.startsWith('"') && isFilter(key, value)) filters.push({ key, value });
    else words.push(part);
  }
  return { words: words.join(' '), filters };
}

export function writeQuery({ words, filters }) {
  const written = filters.map(({ key, value }) => `${key}:${/\s/.test(value) ? `"${value.replaceAll('"', '')}"` : value}`);
  return [...written, words].filter(Boolean).join(' ');
}

/** The same search with other filters of these keys: those given, or none. */
export function refined(text, keys, added) {
  const { words, filters } = parseQuery(text);
  return writeQuery({ words, filters: [...filters.filter(({ key }) => !keys.includes(key)), ...added] });
}

/** A day as the server writes it, so many days ago. */
export function dayBefore(days) {
  const date = new Date();
  date.setDate(date.getDate() - days);
  return [date.getFullYear(), String(date.getMonth() + 1).padStart(2, '0'), String(date.getDate()).padStart(2, '0')].join('-');
}
