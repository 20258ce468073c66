// A section of the sidebar that can be folded. Folded, it shows only unread rooms.

import { h } from '../dom.js';
import { icon } from '../icons.js';

const KEY = 'campfire.folded';

function foldedNames() {
  try {
    return new Set(JSON.parse(localStorage.getItem(KEY) || '[]'));
  } catch {
    return new Set();
  }
}

function keepFolded(name, folded) {
  const names = foldedNames();
  if (folded) names.add(name);
  else names.delete(name);
  try {
    localStorage.setItem(KEY, JSON.stringify([...names]));
  } catch {
    // Without storage it lasts as long as the page.
  }
}

/** `name` is its key in the storage; `body` is what folds; `action` is at the end of the heading; `starts` is the state before anybody chose. */
export function sideSection(name, title, body, { action = null, onfold = () => {}, startsFolded = false } = {}) {
  // For a section that starts folded, the opposite is stored.
  const key = startsFolded ? `${name}-open` : name;
  const section = { folded: foldedNames().has(key) !== startsFolded };
  const id = `side-${name}`;
  body.id = id;
  const button = h('button', { type: 'button', class: 'side-fold', 'aria-controls': id, onclick: () => {
    section.folded = !section.folded;
    keepFolded(key, section.folded !== startsFolded);
    show();
    onfold();
  } }, h('span', {}, title), icon('chevronDown'));
  const show = () => {
    button.setAttribute('aria-expanded', String(!section.folded));
    section.element.classList.toggle('is-shut', section.folded);
  };
  section.action = action;
  section.element = h('section', { class: `side-section side-section-${name}` }, h('div', { class: 'side-head' }, h('h2', {}, button), action), body);
  show();
  return section;
}
