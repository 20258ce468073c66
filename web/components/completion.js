// Completion: a list above the text field, which keeps the focus.

import { fill, h } from '../dom.js';
import { texts } from '../texts.js';

const MOST = 8;

let count = 0;

/**
 * Completes what is typed into a textarea. A source is `{label, hint, match(before), find(word), draw(item), text(item), preview(item)}`:
 * `match` finds in the text before the caret where its word begins (`{from, word}`), `find` answers items or a promise of them,
 * `text` is what takes the word's place. `hint` and `preview` may be missing.
 */
export function completion(input, sources) {
  const id = `completion-${count += 1}`;
  // A scrollable list is focusable in some browsers; it closes before Tab reaches it.
  const list = h('div', { class: 'picker-list', role: 'listbox', id, tabindex: 0 });
  const hint = h('p', { class: 'picker-hint', 'aria-hidden': 'true' });
  const status = h('span', { class: 'heard', role: 'status' });
  const element = h('div', { class: 'picker', hidden: true }, list, hint);
  let open = null;
  let turn = 0;

  input.setAttribute('aria-autocomplete', 'list');
  input.setAttribute('aria-controls', id);

  const close = () => {
    turn += 1;
    open = null;
    element.hidden = true;
    status.textContent = '';
    fill(list);
    input.removeAttribute('aria-activedescendant');
  };

  const choose = (place) => {
    const { items } = open;
    open.choice = (place + items.length) % items.length;
    [...list.children].forEach((option, index) => option.setAttribute('aria-selected', String(index === open.choice)));
    const chosen = list.children[open.choice];
    input.setAttribute('aria-activedescendant', chosen.id);
    chosen.scrollIntoView({ block: 'nearest' });
  };

  const draw = () => {
    const { source, items } = open;
    list.setAttribute('aria-label', source.label());
    fill(list, items.map((item, place) => h('div', {
      class: 'picker-option', role: 'option', id: `${id}-${place}`, 'aria-selected': 'false',
      // The text field keeps the focus, and a touch can still scroll.
      onmousedown: (event) => event.preventDefault(),
      onclick: () => pick(item),
      onpointermove: () => { if (open && open.choice !== place) choose(place); },
    }, source.draw(item))));
    hint.textContent = source.hint?.() || '';
    hint.hidden = !hint.textContent;
    status.textContent = texts.composer.suggestions(items.length);
    element.hidden = false;
    choose(0);
  };

  const pick = (item) => {
    const { source, from } = open;
    const to = input.selectionStart;
    close();
    element.dispatchEvent(new CustomEvent('pick', { detail: { from, to, text: source.text(item) } }));
  };

  const update = async () => {
    const { selectionStart, selectionEnd, value } = input;
    const mine = turn += 1;
    const before = selectionStart === selectionEnd ? value.slice(0, selectionStart) : '';
    for (const source of sources) {
      const match = before && source.match(before);
      if (!match) continue;
      const found = source.find(match.word);
      const items = (found instanceof Promise ? await found.catch(() => []) : found).slice(0, source.most || MOST);
      if (mine !== turn) return;
      if (!items.length) continue;
      open = { source, items, from: match.from, choice: 0 };
      return void draw();
    }
    if (open) close();
  };

  /** Handles a key meant for the list; returns whether it was. */
  const take = (event) => {
    if (!open || event.ctrlKey || event.metaKey || event.altKey) return false;
    const { source, items, choice } = open;
    const atEnd = input.selectionStart === input.value.length;
    if (event.key === 'ArrowDown') choose(choice + 1);
    else if (event.key === 'ArrowUp') choose(choice - 1);
    else if (event.key === 'Escape') close();
    else if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey) pick(items[choice]);
    else if (event.key === 'ArrowRight' && source.preview && atEnd) source.preview(items[choice]);
    else {
      if (event.key === 'Tab') close();
      return false;
    }
    event.preventDefault();
    event.stopPropagation();
    return true;
  };

  return { element, status, update, take, close };
}
