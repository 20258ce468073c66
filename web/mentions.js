// Mentions as they are typed, `@Mara Ortiz`, and as they are stored, `@[Mara Ortiz](user:2)`.

import { person, state } from './store.js';

/** Up to 400 signs of a name, escaped or not: it ends at the first `](user:ID)`, as the server reads it. */
const STORED = /@\[((?:\\.|(?!@\[|\]\(user:\d{1,19}\))[^\\\n]){0,400})\]\(user:(\d{1,19})\)/y;
/** Code and addresses contain no mentions. An address ends at a space or at a mark that none has. */
const CLOSED = /```[^]*?(?:```|$)|(`{1,2})(?!`)[^`\n]+\1|\b(?:https?:\/\/|www\.|mailto:)[^\s`<>\u3000-\u303F\uFF00-\uFF0F\uFF1A-\uFF20“”„«»]*/gi;
/** Scripts that set no spaces between words. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Bopomofo}\p{scx=Yi}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}\p{scx=Tibetan}]/u;
const OF_WORD = /[\p{L}\p{N}\p{M}_]/u;
/** What makes an `@` part of a word before it: `me@here`, `x/@here`. */
const JOINS_BEFORE = /[\p{scx=Latin}0-9_@/.+-]/u;

/** The places of code and addresses in a text: `[[start, end], …]`. */
const closedIn = (text) => [...text.matchAll(CLOSED)].map((found) => [found.index, found.index + found[0].length]);

/** A text with each `@` outside of code and addresses read by `read(place)`, which returns `[length, replacement]`, or nothing. */
function replaced(text, read) {
  const closed = closedIn(text);
  let out = '';
  let from = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', Math.max(at + 1, from))) {
    while (closed.length && closed[0][1] <= at) closed.shift();
    if (closed.length && closed[0][0] <= at) continue;
    const found = read(at);
    if (!found) continue;
    out += text.slice(from, at) + found[1];
    from = at + found[0];
  }
  return out + text.slice(from);
}

/** Without the empty lines around it. The first line keeps its indent, which may mean a list's level or code. */
export const withoutEmptyLines = (text) => text.replace(/^(?:[^\S\n]*\n)+/, '').trimEnd();

/** Whether a text shows anything. */
export const hasVisible = (text) => /[^\s\p{Cc}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);

/** True for a message that names me, or everybody (`@here`, `@room`). */
export const mentionsMe = (message) => Boolean(message.everyone) || message.mentions.includes(state.me.id);

/** Puts the present names into the mentions of a rendered message. */
export function nameMentions(element) {
  for (const mention of element.querySelectorAll('.mention[data-user-id]')) {
    const id = Number(mention.dataset.userId);
    const name = `@${person(id).name}`;
    if (mention.textContent !== name) mention.textContent = name;
    mention.translate = false;
    mention.classList.toggle('is-me', id === state.me.id);
  }
  return element;
}

/** Up to this length a text is also searched for names that were typed without the picker. */
const SEARCHED = 8000;

/** The label of a user in a text. `names` maps the labels used so far to user ids (`{'@Mara Ortiz': 2}`); this one is added. */
export function labelFor(user, names) {
  const plain = `@${user.name}`;
  // A second user of the same name gets a number.
  const label = plain in names && names[plain] !== user.id ? `${plain} #${user.id}` : plain;
  names[label] = user.id;
  return label;
}

/** A stored text as it is shown while editing: `{text, names}`. */
export function toReadable(content, shown = (label) => label) {
  const names = {};
  const text = replaced(content, (at) => {
    STORED.lastIndex = at;
    const found = content[at - 1] === '\\' ? null : STORED.exec(content);
    if (!found) return null;
    const id = Number(found[2]);
    const name = state.users.get(id)?.name || found[1].replace(/\\([!-/:-@[-`{-~])/g, '$1');
    return [found[0].length, shown(labelFor({ id, name }, names))];
  });
  return { text, names };
}

/** A stored text in parts: those with an odd number are mentions, as they are shown. */
export function mentionParts(content) {
  const { text, names } = toReadable(content.replace(/\0/g, ''), (label) => `\0${label}\0`);
  return Object.keys(names).length ? text.split('\0') : [text];
}

/** The reverse. `members` are those who may be mentioned by typing their whole name. */
export function toStored(text, names = {}, members = []) {
  if (!text.includes('@')) return text;
  const meant = { ...typed(text, members), ...names };
  const labels = Object.keys(meant).filter((label) => text.includes(label)).sort((a, b) => b.length - a.length);
  if (!labels.length) return text;
  const start = (at) => text[at - 1] === '\\' ? at - 1 : at;
  const marked = replaced(text, (at) => {
    const before = characterBefore(text, start(at));
    if (before && JOINS_BEFORE.test(before)) return null;
    const label = labels.find((one) => text.startsWith(one, at) && endsAt(text, at + one.length));
    // A backslash takes the mention away.
    if (label) return start(at) < at ? [label.length, `\0${label}`] : [label.length, stored(label, meant[label])];
    return null;
  });
  return marked.replace(/\\\0/g, '');
}

/** The character before a place of a text. */
function characterBefore(text, place) {
  const unit = text.charCodeAt(place - 1);
  return unit >= 0xdc00 && unit <= 0xdfff ? text.slice(place - 2, place) : text.slice(Math.max(place - 1, 0), place);
}

/** Whether a name may end at a place: `Mara` is not in `Marathon`, but in `Maraさん`, and 田中 is in 田中さん. */
function endsAt(text, place) {
  const after = text.codePointAt(place);
  if (after === undefined) return true;
  const next = String.fromCodePoint(after);
  return !OF_WORD.test(next) || UNSPACED.test(next) || UNSPACED.test(characterBefore(text, place));
}

/** Members whose whole name is in the text and unique. */
function typed(text, members) {
  const found = {};
  if (text.length > SEARCHED) return found;
  const twice = new Set();
  for (const user of members) {
    const label = `@${user.name}`;
    if (!text.includes(label)) continue;
    if (label in found) twice.add(label);
    found[label] = user.id;
  }
  twice.forEach((label) => delete found[label]);
  return found;
}

/** The server puts in the current name; no sign of this one must end the mention, or begin code. */
function stored(label, id) {
  const name = label.slice(1).replace(/ #\d+$/, '').replace(/\n/g, ' ').replace(/[\\`*_~[\]<>&|]/g, '\\$&');
  return `@[${name}](user:${id})`;
}
