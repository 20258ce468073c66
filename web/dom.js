// Functions that make elements. Text is always escaped.

import { icon } from './icons.js';

const isThere = (child) => child !== null && child !== undefined && child !== false;

/** Makes an element with attributes, listeners (`onclick`), properties (`.value`) and children. */
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

/** Replaces the children of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(3).filter(isThere));
  return element;
}

/** The nodes of HTML that the server has sanitised. Never call it with any other HTML. */
export function sanitised(html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  return template.content;
}

/** A button with an icon; the label is its accessible name and its tooltip. */
export function iconButton(name, label, onclick, attributes = {}) {
  return h('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick, ...attributes }, icon(name));
}

/** An empty state: an icon, a title, a hint, and actions. */
export function emptyElement(title, hint, ...more) {
  return h('div', { class: 'empty' }, h('span', { class: 'empty-flame' }, icon('flame')), h('h2', {}, title), hint ? h('p', {}, hint) : null, more);
}

/** Text for screen readers only. */
export const heard = (text) => h('span', { class: 'heard' }, text);

/** True on a touch screen: Enter breaks the line there, and nothing hovers. */
export const onTouch = () => matchMedia('(pointer: coarse)').matches;
export const onPhone = () => matchMedia('(max-width: 720px)').matches;

/** Calls `act` after the next paint, so that no frame takes long; soon if the page is hidden. */
export function afterPaint(act) {
  if (document.visibilityState === 'visible') requestAnimationFrame(() => setTimeout(act));
  else setTimeout(act);
}
