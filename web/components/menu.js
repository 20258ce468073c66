// Menus and popovers at a button. On a phone both come up from the bottom edge.

import { h, onPhone } from '../dom.js';
import { icon } from '../icons.js';

const GAP = 6;
const EDGE = 8;

let open = null;

/** Closes the open menu or popover. */
function closeFloating() {
  open?.();
}

function float(anchor, panel, { onclose } = {}) {
  closeFloating();
  const sheet = onPhone();
  panel.popover = 'manual';
  panel.classList.toggle('is-sheet', sheet);
  // In a modal dialog only its own elements are usable; elsewhere it belongs to the landmark of its button.
  (anchor.closest('dialog, main, [role="main"], [role="complementary"]') || document.body).append(panel);
  panel.showPopover?.();
  anchor.setAttribute('aria-expanded', 'true');
  const close = ({ focus = true } = {}) => {
    if (open !== close) return;
    open = null;
    removeEventListener('pointerdown', outside, true);
    removeEventListener('resize', put);
    removeEventListener('popstate', away);
    const hadFocus = panel.contains(document.activeElement);
    panel.remove();
    // Some buttons are visible only while they have the focus or an open menu.
    if (focus && hadFocus) anchor.focus();
    anchor.setAttribute('aria-expanded', 'false');
    onclose?.();
  };
  const outside = (event) => {
    if (panel.contains(event.target)) return;
    // The button closes its own menu; the click must not open it again.
    if (anchor.contains(event.target)) anchor.addEventListener('click', (click) => { click.stopImmediatePropagation(); click.preventDefault(); }, { once: true, capture: true });
    close();
  };
  const away = () => close({ focus: false });
  const put = () => {
    if (sheet) return;
    const box = anchor.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = panel;
    const below = box.bottom + GAP + height <= innerHeight - EDGE || box.top < height + GAP + EDGE;
    // It opens towards the middle of the page.
    const left = box.left + box.right < innerWidth ? box.left : box.right - width;
    panel.style.top = `${below ? Math.max(EDGE, Math.min(box.bottom + GAP, innerHeight - height - EDGE)) : box.top - height - GAP}px`;
    panel.style.left = `${Math.max(EDGE, Math.min(left, innerWidth - width - EDGE))}px`;
  };
  panel.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  panel.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget && !panel.contains(relatedTarget)) close({ focus: false });
  });
  addEventListener('pointerdown', outside, true);
  addEventListener('resize', put);
  addEventListener('popstate', away);
  open = close;
  put();
  return { close, put };
}

/** A menu: entries are `{label, icon, onclick, danger, checked}`, or `'line'` between groups; falsy ones are left out. */
export function openMenu(anchor, entries) {
  const lines = entries.filter(Boolean).map((entry) => (entry === 'line' ? h('div', { class: 'menu-line', role: 'separator' }) : menuItem(entry, () => floating.close())));
  const items = lines.filter((line) => line.matches('button'));
  const menu = h('div', { class: 'menu', role: 'menu', 'aria-label': anchor.getAttribute('aria-label') }, lines);
  const floating = float(anchor, menu);
  menu.addEventListener('keydown', (event) => {
    const place = items.indexOf(document.activeElement);
    const next = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: -1 }[event.key];
    if (event.key === 'Tab') floating.close();
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    items.at(next % items.length).focus();
  });
  items[0].focus();
  return floating.close;
}

function menuItem({ label, icon: name, onclick, danger, checked }, close) {
  return h('button', {
    type: 'button', role: checked === undefined ? 'menuitem' : 'menuitemradio', 'aria-checked': checked === undefined ? null : String(checked),
    class: danger ? 'is-danger' : '', onclick: () => { close(); onclick(); },
  }, name ? icon(name) : null, h('span', {}, label), checked ? icon('check') : null);
}

/** A popover. `build(close)` returns its content. `[autofocus]` in it gets the focus, or else its first button. */
export function openPopover(anchor, build, { label, kind = '', onclose } = {}) {
  const panel = h('div', { class: `popover ${kind}`, role: 'dialog', 'aria-label': label, tabindex: -1 });
  const holder = {};
  panel.append(build((options) => holder.close?.(options)));
  const { close, put } = float(anchor, panel, { onclose });
  holder.close = close;
  (panel.querySelector('[autofocus]') || panel.querySelector('button, a[href], input') || panel).focus();
  new ResizeObserver(put).observe(panel);
  return close;
}
