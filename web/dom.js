// Elements are made by functions that escape by default: a text stays a text.

import { icon } from './icons.js';

const isThere = (child) => child !== null && child !== undefined && child !== false;

/** Makes an element: attributes, listeners (`onclick`), properties (`.value`), then its children. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name.startsWith('.')) element[name.slice(1)] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(3).filter(isThere));
  return element;
}

/** Puts these children in place of all that is there. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(3).filter(isThere));
  return element;
}

/** The nodes of HTML that the server has sanitised. Nothing else may come here. */
export function sanitised(html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  return template.content;
}

/** A button with an icon; the label is for those who do not see it, and for who points at it. */
export function iconButton(name, label, onclick, attributes = {}) {
  return h('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick, ...attributes }, icon(name));
}

/** An empty place that invites: a flame, a title, a hint, and what can be done. */
export function emptyElement(title, hint, ...more) {
  return h('div', { class: 'empty' }, h('span', { class: 'empty-flame' }, icon('flame')), h('h2', {}, title), hint ? h('p', {}, hint) : null, more);
}

/** What is only heard. */
export const heard = (text) => h('span', { class: 'heard' }, text);

/** True where a finger points: Enter breaks the line there, and nothing hovers. */
export const onTouch = () => matchMedia('(pointer: coarse)').matches;
export const onPhone = () => matchMedia('(max-width: 720px)').matches;

/** Acts once what was changed is painted, so that no single frame takes long. Where nothing is painted, soon. */
export function afterPaint(act) {
  if (document.visibilityState === 'visible') requestAnimationFrame(() => setTimeout(act));
  else setTimeout(act);
}
