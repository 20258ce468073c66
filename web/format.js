// Times, names and colours, as the reader's own place writes them.

import { texts } from './texts.js';

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const dayName = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dayAndYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });

export const timeOfDay = (date) => clock.format(date);
export const fullTime = (date) => full.format(date);
export const dayKey = (date) => `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;

export function dayLabel(date) {
  const now = new Date();
  if (dayKey(date) === dayKey(now)) return texts.today;
  now.setDate(now.getDate() - 1);
  if (dayKey(date) === dayKey(now)) return texts.yesterday;
  return date.getFullYear() === new Date().getFullYear() ? dayName.format(date) : dayAndYear.format(date);
}

export function initials(name) {
  const words = name.trim().split(/\s+/);
  const first = [...(words[0] || '?')][0];
  const last = words.length > 1 ? [...words[words.length - 1]][0] : [...(words[0] || '')][1] || '';
  return (first + last).toUpperCase();
}

const COLOURS = 8;
export const colourOf = (id) => `tint-${id % COLOURS}`;
export const firstName = (name) => name.split(/\s+/)[0];

/** What a program calls itself, in short. */
export function deviceName(agent) {
  const browser = ['Edg', 'Firefox', 'Chrome', 'Safari'].find((name) => agent.includes(name));
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'Linux'].find((name) => agent.includes(name));
  const shown = [browser === 'Edg' ? 'Edge' : browser, system].filter(Boolean).join(', ');
  return shown || agent || texts.unknownDevice;
}
