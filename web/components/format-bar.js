// The Markdown toolbar of the composer.

import { h, iconButton } from '../dom.js';
import { texts } from '../texts.js';
import { codeBlock, link, prefixLines, wrap } from './markdown-input.js';

const OPEN = 'campfire.format-bar';
const APPLE = /Mac|iPhone|iPad/.test(navigator.platform);

const TOOLS = [
  { name: 'bold', keys: 'B', act: (input) => wrap(input, '**') },
  { name: 'italic', keys: 'I', act: (input) => wrap(input, '_') },
  { name: 'strike', keys: 'Shift+X', act: (input) => wrap(input, '~~') },
  { name: 'code', keys: 'E', act: (input) => wrap(input, '`') },
  { name: 'codeBlock', keys: 'Shift+E', act: codeBlock },
  { name: 'link', keys: 'Shift+K', act: (input) => link(input) },
  { name: 'quote', keys: 'Shift+9', act: (input) => prefixLines(input, '> ') },
  { name: 'list', keys: 'Shift+8', act: (input) => prefixLines(input, '- ') },
];

const shown = (keys) => (APPLE ? `⌘${keys.replace('Shift+', '⇧')}` : `${texts.composer.ctrl}+${keys.replace('Shift', texts.composer.shift)}`);

function wasOpen() {
  try {
    return localStorage.getItem(OPEN) === 'yes';
  } catch {
    return false;
  }
}

/** `{element, toggle}`: the bar, and the button that shows it; its state is stored. */
export function formatBar(input) {
  const buttons = TOOLS.map(({ name, keys, act }, place) => iconButton(name, texts.composer.marks[name], () => {
    input.focus();
    act(input);
  }, { title: `${texts.composer.marks[name]} (${shown(keys)})`, 'aria-keyshortcuts': `${APPLE ? 'Meta' : 'Control'}+${keys}`, 'data-mark': name, tabindex: place ? -1 : 0,
    // The button must not take the selection from the text.
    onmousedown: (event) => event.preventDefault() }));
  const element = h('div', { class: 'format-bar', role: 'toolbar', 'aria-label': texts.composer.formatting, hidden: !wasOpen() }, buttons);
  element.addEventListener('keydown', (event) => {
    const place = buttons.indexOf(document.activeElement);
    const forward = getComputedStyle(element).direction === 'rtl' ? -1 : 1;
    const next = { ArrowRight: place + forward, ArrowLeft: place - forward, Home: 0, End: buttons.length - 1 }[event.key];
    if (next === undefined || place < 0) return;
    event.preventDefault();
    const target = buttons[(next + buttons.length) % buttons.length];
    buttons.forEach((button) => { button.tabIndex = button === target ? 0 : -1; });
    target.focus();
  });
  const toggle = iconButton('format', texts.composer.formatting, () => {
    element.hidden = !element.hidden;
    toggle.setAttribute('aria-expanded', String(!element.hidden));
    try {
      localStorage.setItem(OPEN, element.hidden ? 'no' : 'yes');
    } catch {
      // Without storage it is closed the next time.
    }
  }, { class: 'icon-button format-toggle', 'aria-expanded': String(!element.hidden), onmousedown: (event) => event.preventDefault() });
  return { element, toggle };
}
