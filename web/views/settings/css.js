// The account's custom CSS: previewed on this page, and applied to everybody once saved.

import { patch } from '../../api.js';
import { confirmDialog } from '../../components/dialog.js';
import { toast } from '../../components/toast.js';
import { h } from '../../dom.js';
import { changed, state, watch } from '../../store.js';
import { texts } from '../../texts.js';
import { block, number, page } from './parts.js';

const MOST_BYTES = 65536;
const DRAFT = 'campfire.css';

/** Whatever is tried, what it takes to undo it stays to be seen. */
const GUARD = `
  html, body, #app, .shell, .pane, .settings-view, .settings-columns, .settings-place, .settings-css, .settings-css > .field, .settings-css > .field > *, .settings-css > .row { visibility: visible !important; opacity: 1 !important; transform: none !important; clip-path: none !important; filter: none !important; pointer-events: auto !important }
  html, body, #app { display: block !important }
  .shell, .pane, .settings-view, .settings-columns, .settings-css, .settings-css > .field { display: grid !important }
  .settings-place { display: block !important } .settings-css > .row { display: flex !important } .settings-css > .row > :not([hidden]) { display: inline-flex !important; visibility: visible !important; opacity: 1 !important }`;

/** What was typed and not saved outlives a reload of this tab. */
function draft() {
  try {
    return sessionStorage.getItem(DRAFT);
  } catch {
    return null;
  }
}

function keepDraft(text) {
  try {
    if (text === null) sessionStorage.removeItem(DRAFT);
    else sessionStorage.setItem(DRAFT, text);
  } catch {
    // Without storage it lasts as long as the page.
  }
}
const NAMES = ['--paper', '--raised', '--sunken', '--line', '--edge', '--ink', '--soft', '--faint', '--ember', '--ember-ink', '--ember-wash', '--mine', '--mention', '--online', '--good', '--danger', '--font', '--mono'];
const FONTS = new Set(['--font', '--mono']);

/** Tab types two spaces; after Esc it moves on, so that keyboard users are not trapped. */
function takeTabs(input) {
  let leaving = false;
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') leaving = true;
    else if (event.key === 'Tab' && !leaving && !event.shiftKey && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      input.setRangeText('  ', input.selectionStart, input.selectionEnd, 'end');
      input.dispatchEvent(new Event('input'));
    } else if (!['Shift', 'Tab'].includes(event.key)) leaving = false;
  });
  input.addEventListener('blur', () => { leaving = false; });
}

export function css(signal) {
  const words = texts.admin.css;
  const input = h('textarea', { class: 'settings-css-input', id: 'custom-css', rows: 16, spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', dir: 'ltr', wrap: 'off', '.value': draft() ?? state.account.custom_css, placeholder: words.example, 'aria-describedby': 'custom-css-hint custom-css-error' });
  const status = h('p', { class: 'settings-count', role: 'status' });
  const wrong = h('p', { class: 'field-error', id: 'custom-css-error', role: 'alert' });
  const preview = new CSSStyleSheet();
  const guard = new CSSStyleSheet();
  guard.replaceSync(GUARD);
  const isTried = () => input.value !== state.account.custom_css;
  const show = () => {
    wrong.textContent = '';
    status.textContent = isTried() ? words.tried : state.account.custom_css ? words.asSaved : '';
    save.disabled = !isTried();
    undo.hidden = !isTried();
    reset.hidden = !state.account.custom_css;
    preview.replaceSync(input.value);
    document.adoptedStyleSheets = [preview, guard];
    keepDraft(isTried() ? input.value : null);
  };
  const store = async (text) => {
    const account = await patch('/api/account', { custom_css: text });
    state.account = { ...state.account, ...account };
    input.value = account.custom_css;
    changed('account');
  };
  const save = h('button', { type: 'button', class: 'button button-primary', onclick: async () => {
    save.disabled = true;
    const bytes = new TextEncoder().encode(input.value).length;
    try {
      if (bytes > MOST_BYTES) throw new Error(words.tooLong(number(bytes), number(MOST_BYTES)));
      await store(input.value);
      toast(words.saved);
    } catch (problem) {
      save.disabled = false;
      wrong.textContent = problem.message;
    }
  } }, words.save);
  const undo = h('button', { type: 'button', class: 'button', onclick: () => { input.value = state.account.custom_css; show(); input.focus(); } }, words.undo);
  const reset = h('button', { type: 'button', class: 'button is-danger', onclick: () => confirmDialog(words.confirmReset, words.reset, async () => { await store(''); toast(words.resetDone); }, { detail: words.confirmResetDetail }) }, words.reset);
  input.addEventListener('input', show);
  takeTabs(input);
  show();
  // The account's sheet is replaced whenever the account changes; the preview has to come after it.
  const stop = watch(['account'], show);
  signal.addEventListener('abort', () => {
    stop();
    // Leaving the section ends the preview.
    changed('account');
  });
  return page('css', words.lead,
    h('div', { class: 'field' }, h('label', { for: 'custom-css' }, words.label), input, h('p', { class: 'field-hint', id: 'custom-css-hint' }, words.tabHint), wrong),
    h('div', { class: 'row' }, save, undo, reset, status),
    h('p', { class: 'settings-note' }, words.wayBack, ' ', h('code', { dir: 'ltr' }, `${location.origin}/?nocss`)),
    block(words.names, words.namesLead, names(input)));
}

/** Inserts a property with its current value in the palette that is shown. */
function rule(name) {
  const shown = getComputedStyle(document.documentElement);
  const set = `{ ${name}: ${shown.getPropertyValue(name).trim()} }`;
  if (shown.colorScheme !== 'dark') return `:root ${set}`;
  return `:root[data-theme="dark"] ${set}\n@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) ${set} }`;
}

/** The properties that can be set, with their current colours. */
function names(input) {
  const words = texts.admin.css;
  const insert = (name) => {
    const { length } = input.value;
    input.setRangeText(`${length && !input.value.endsWith('\n') ? '\n' : ''}${rule(name)}\n`, length, length, 'end');
    input.focus();
    input.dispatchEvent(new Event('input'));
  };
  return h('ul', { class: 'settings-properties' }, NAMES.map((name) => {
    const swatch = h('span', { class: 'settings-swatch', 'aria-hidden': 'true' }, FONTS.has(name) ? 'Aa' : '');
    if (FONTS.has(name)) swatch.style.fontFamily = `var(${name})`;
    else swatch.style.background = `var(${name})`;
    return h('li', {}, swatch, h('button', { type: 'button', class: 'settings-token', title: words.insert, onclick: () => insert(name) }, name), h('span', {}, words.meanings[name]));
  }));
}
