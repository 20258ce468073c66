// Parts of the settings: sections, blocks, lists, placeholders.

import { copyButton } from '../../clipboard.js';
import { fill, h } from '../../dom.js';
import { icon } from '../../icons.js';
import { language, texts } from '../../texts.js';

let count = 0;

/** A section: its name, an explanation, and its content. */
export function page(name, lead, ...content) {
  return h('div', { class: `settings-page settings-${name}` },
    h('header', { class: 'settings-head' }, h('h2', { tabindex: -1 }, texts.settings.names[name]), lead ? h('p', {}, lead) : null), content);
}

/** A block of a section, with a title. */
export function block(title, lead, ...content) {
  const id = `settings-block-${count += 1}`;
  return h('section', { class: 'settings-block', 'aria-labelledby': id }, h('h3', { id }, title), lead ? h('p', { class: 'settings-lead' }, lead) : null, content);
}

/** A place for data from the server: a skeleton first, then the data or the error. `refresh` loads it again. */
export function loaded(load, draw, { lines = 3 } = {}) {
  const element = h('div', { class: 'settings-loaded', 'aria-busy': 'true' }, skeleton(lines));
  let asked = 0;
  const refresh = async () => {
    const mine = asked += 1;
    let shown;
    try {
      shown = draw(await load());
    } catch (problem) {
      shown = h('div', { class: 'settings-failed', role: 'alert' }, h('p', {}, problem.message),
        h('button', { type: 'button', class: 'button button-small', onclick: refresh }, texts.common.retry));
    }
    if (mine !== asked) return;
    element.removeAttribute('aria-busy');
    fill(element, shown);
  };
  refresh();
  return { element, refresh };
}

export function skeleton(lines) {
  return Array.from({ length: lines }, () => h('div', { class: 'settings-line', 'aria-hidden': 'true' },
    h('span', { class: 'skeleton settings-skeleton-face' }), h('span', { class: 'skeleton settings-skeleton-text' })));
}

export const list = (label, lines) => h('ul', { class: 'settings-list', 'aria-label': label }, lines);

/** A line of a list. `face` is an element or the name of an icon; `facts` are below the name, `more` below all of it. */
export function line({ face, name, marks = [], facts = [], actions = [], more = null, key = null }) {
  return h('li', { class: 'settings-line', 'data-key': key },
    face ? h('span', { class: 'settings-line-face' }, typeof face === 'string' ? icon(face) : face) : null,
    h('div', { class: 'settings-line-text' }, h('div', { class: 'settings-line-name' }, h('b', { dir: 'auto' }, name), marks), facts.filter(Boolean).map((fact) => h('p', {}, fact))),
    actions.length ? h('div', { class: 'settings-line-actions' }, actions) : null, more);
}

export const mark = (text, kind = '') => h('span', { class: `settings-mark ${kind}` }, text);

/** An empty list: why that is fine, or what to do first. */
export const nothing = (name, text) => h('p', { class: 'settings-nothing' }, icon(name), text);

/** A button that acts at once. A refusal is shown below it. */
export function actionButton(label, act, { about = '', kind = 'button-small', picture = null } = {}) {
  const wrong = h('span', { class: 'field-error', role: 'alert' });
  const button = h('button', { type: 'button', class: `button ${kind}`, 'aria-label': about ? `${label}: ${about}` : null, onclick: async () => {
    button.disabled = true;
    wrong.textContent = '';
    try {
      await act();
    } catch (problem) {
      wrong.textContent = problem.message;
    } finally {
      button.disabled = false;
    }
  } }, picture ? icon(picture) : null, label);
  return h('span', { class: 'settings-action' }, button, wrong);
}

/** A select field: `options` are pairs of a value and a label. */
export function picker(name, label, options, { value = '', onchange = null, hint = '', hidden = false } = {}) {
  const id = `settings-pick-${name}-${count += 1}`;
  const select = h('select', { name, id, onchange: onchange && ((event) => onchange(event.target.value)), 'aria-describedby': hint ? `${id}-hint` : null },
    options.map(([key, words]) => h('option', { value: key, '.selected': String(key) === String(value) }, words)));
  return h('div', { class: 'field' }, h('label', { for: id, class: hidden ? 'heard' : '' }, label), select, hint ? h('p', { class: 'field-hint', id: `${id}-hint` }, hint) : null,
    h('p', { class: 'field-error', role: 'alert' }));
}

/** A text with a copy button: a link, a key, a command. */
export function copyLine(label, text) {
  return h('div', { class: 'settings-copy' }, h('span', { class: 'settings-copy-label' }, label),
    h('code', { class: 'copyable', tabindex: 0, dir: 'ltr', role: 'textbox', 'aria-readonly': 'true', 'aria-multiline': 'true', 'aria-label': label }, text), copyButton(text));
}

/** A secret that is shown only once. It takes the focus, so that nobody misses it. */
export function secret(title, ...content) {
  const element = h('section', { class: 'settings-secret', tabindex: -1, 'aria-label': title },
    h('h4', {}, icon('key'), title), h('p', {}, texts.settings.once), content,
    h('div', { class: 'row' }, h('button', { type: 'button', class: 'button button-small', onclick: () => element.remove() }, texts.settings.kept)));
  requestAnimationFrame(() => element.focus());
  return element;
}

/** A button that shares a link, where the device can. */
export function shareButton(title, url) {
  if (!navigator.share) return null;
  return h('button', { type: 'button', class: 'button button-small', onclick: () => navigator.share({ title, url }).catch(() => {}) }, icon('share'), texts.settings.share);
}

/** The locale for dates: the language that is shown, in the user's regional variant. */
const locale = () => navigator.languages.find((tag) => tag.startsWith(language())) || language();

export const dateAndTime = (iso) => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso));
export const number = (value) => value.toLocaleString(locale());

/** A time of day in UTC, `HH:MM`, as the clock here shows it. */
export function timeOfDay(utc) {
  const [hours, minutes] = utc.split(':').map(Number);
  return new Intl.DateTimeFormat(locale(), { timeStyle: 'short' }).format(new Date().setUTCHours(hours, minutes, 0, 0));
}

const UNITS = [['minute', 60], ['hour', 3600], ['day', 86400]];

/** A relative time, or a date if it is long ago. */
export function ago(iso) {
  const seconds = (new Date(iso).getTime() - Date.now()) / 1000;
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  let words = texts.time.now;
  if (Math.abs(seconds) >= 7 * 86400) words = new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }).format(new Date(iso));
  else for (const [unit, length] of UNITS) if (Math.abs(seconds) >= length) words = relative.format(Math.round(seconds / length), unit);
  return h('time', { datetime: iso, title: dateAndTime(iso) }, words);
}
