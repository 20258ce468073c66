// Elements are made by functions that escape by default: a text stays a text.

/** Makes an element: attributes, listeners (`onclick`), properties (`.value`), then its children. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name.startsWith('.')) element[name.slice(1)] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Puts these children in place of all that is there. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The nodes of HTML that the server has sanitised. Nothing else may come here. */
export function sanitised(html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  return template.content;
}

const SVG = 'http://www.w3.org/2000/svg';

const PATHS = {
  back: 'M15 5l-7 7 7 7',
  bell: 'M6 9a6 6 0 0 1 12 0c0 6 2 7 2 7H4s2-1 2-7M10 20a2 2 0 0 0 4 0',
  bellOff: 'M9 4.600A6 6 0 0 1 18 9c0 2.500.4 4 .8 5M6 9c0 6-2 7-2 7h12M10 20a2 2 0 0 0 4 0M4 4l16 16',
  bellAll: 'M6 9a6 6 0 0 1 12 0c0 6 2 7 2 7H4s2-1 2-7M10 20a2 2 0 0 0 4 0M2.500 8a9 9 0 0 1 2-4.500M21.500 8a9 9 0 0 0-2-4.500',
  eyeOff: 'M4 4l16 16M9.900 5.300A9 9 0 0 1 21 12a12 12 0 0 1-2.300 3.200M6.300 7A12 12 0 0 0 3 12a9 9 0 0 0 12.500 5.600M10 10.300a2.500 2.500 0 0 0 3.600 3.500',
  close: 'M6 6l12 12M18 6 6 18',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  down: 'M12 5v14M6 13l6 6 6-6',
  edit: 'M4 20l1-4L16 5l3 3L8 19l-4 1M14 7l3 3',
  flame: 'M12 3c1 4 6 6 6 11a6 6 0 0 1-12 0c0-2 1-3.500 2.500-5 .5 2 1.500 2.500 2 2.500C11.500 9 10.500 6 12 3Z',
  gear: 'M4 7h9M17 7h3M4 12h3M11 12h9M4 17h9M17 17h3M15 5v4M9 10v4M15 15v4',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  people: 'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7M2.500 20a6.500 6.500 0 0 1 13 0M16 4.500a3.500 3.500 0 0 1 0 6M18 14.500a6.500 6.500 0 0 1 3.500 5.500',
  plus: 'M12 5v14M5 12h14',
  reply: 'M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14M16 16l4.500 4.500',
  send: 'M12 19V5M6 11l6-6 6 6',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
};

/** One of our icons: strokes of 1.8 on a grid of 24. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon; the label is for those who do not see it, and for who points at it. */
export function iconButton(name, label, onclick, attributes = {}) {
  return h('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick, ...attributes }, icon(name));
}
