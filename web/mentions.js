// Mentions as they are typed, `@Mara Ortiz`, and as they are stored, `@[Mara Ortiz](user:2)`.

import { state } from './store.js';

const STORED = /@\[((?:\\.|[^[\]\\\n]){0,200})\]\(user:(\d{1,19})\)/g;
// Code contains no mentions.
const CODE = /(```[^]*?(?:```|$)|`[^`\n]*`)/;
const JOINS = /[\p{L}\p{N}_]/u;

/** True for a message that names me, or everybody (`@here`, `@room`). */
export const mentionsMe = (message) => Boolean(message.everyone) || message.mentions.includes(state.me.id);

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
export function toReadable(content) {
  const names = {};
  const text = content.replace(STORED, (whole, written, digits) => {
    const id = Number(digits);
    const name = state.users.get(id)?.name || written.replace(/\\(.)/g, '$1');
    return labelFor({ id, name }, names);
  });
  return { text, names };
}

/** The reverse. `members` are those who may be mentioned by typing their whole name. */
export function toStored(text, names = {}, members = []) {
  if (!text.includes('@')) return text;
  const meant = { ...typed(text, members), ...names };
  const labels = Object.keys(meant).filter((label) => text.includes(label)).sort((a, b) => b.length - a.length);
  if (!labels.length) return text;
  return text.split(CODE).map((part, place) => (place % 2 ? part : linked(part, labels, meant))).join('');
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

function linked(part, labels, meant) {
  let out = '';
  let from = 0;
  for (let at = part.indexOf('@'); at >= 0; at = part.indexOf('@', from)) {
    const label = labels.find((one) => part.startsWith(one, at) && !JOINS.test(part.slice(at + one.length, at + one.length + 2)[0] || ''));
    out += part.slice(from, at) + (label ? stored(label, meant[label]) : '@');
    from = at + (label ? label.length : 1);
  }
  return out + part.slice(from);
}

/** The server puts in the current name; brackets in this one must not end the mention. */
function stored(label, id) {
  const name = label.slice(1).replace(/ #\d+$/, '').replace(/[`<>\n]/g, '').replace(/[\\[\]]/g, '\\$&');
  return `@[${name}](user:${id})`;
}
