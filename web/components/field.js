// Form fields with their errors.

import { h } from '../dom.js';
import { texts } from '../texts.js';

/** A field with a label, a hint and a place for errors. `attributes.id` is needed where a page has two fields of one name. */
export function field(name, label, attributes = {}, hint = '') {
  const id = attributes.id || `field-${name}`;
  const input = h(attributes.rows ? 'textarea' : 'input', { name, 'aria-describedby': `${id}-hint ${id}-error`, ...attributes, id });
  return h('div', { class: 'field' }, h('label', { for: id }, label), input,
    h('p', { class: 'field-hint', id: `${id}-hint` }, hint), h('p', { class: 'field-error', id: `${id}-error`, role: 'alert' }));
}

/** A radio button or a checkbox. */
export function choice(type, name, label, attributes = {}, hint = '') {
  return h('label', { class: 'choice' }, h('input', { type, name, ...attributes }), h('span', {}, label, hint ? h('small', {}, hint) : null));
}

/** A switch that takes effect at once. */
export function toggle(label, checked, onchange, hint = '') {
  const input = h('input', { type: 'checkbox', role: 'switch', class: 'switch', '.checked': checked, onchange: async () => {
    try {
      await onchange(input.checked);
    } catch (problem) {
      input.checked = !input.checked;
      wrong.textContent = problem.message;
      return;
    }
    wrong.textContent = '';
  } });
  const wrong = h('span', { class: 'field-error', role: 'alert' });
  return h('label', { class: 'toggle' }, h('span', {}, label, hint ? h('small', {}, hint) : null, wrong), input);
}

/** A form that calls `submit(values)` and shows refusals. `done` is shown on success, unless it returns false. */
export function form(fields, label, submit, { quiet = false, danger = false, done = '' } = {}) {
  const wrong = h('p', { class: 'form-error', role: 'alert' });
  const good = h('p', { class: 'form-good', role: 'status' });
  const button = h('button', { class: `button ${quiet ? '' : danger ? 'button-danger' : 'button-primary'}`, type: 'submit' }, label);
  const element = h('form', { class: 'form', novalidate: true }, fields, wrong, h('div', { class: 'row' }, button, good));
  element.addEventListener('input', () => { good.textContent = ''; });
  element.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const values = Object.fromEntries(new FormData(element));
    clear(element);
    wrong.textContent = '';
    good.textContent = '';
    button.disabled = true;
    try {
      if (await submit(values) !== false) good.textContent = done;
    } catch (problem) {
      if (!refuse(element, problem.fields)) wrong.textContent = problem.message;
    } finally {
      button.disabled = false;
    }
  });
  return element;
}

function clear(element) {
  element.querySelectorAll('.field-error').forEach((error) => { error.textContent = ''; });
  element.querySelectorAll('[aria-invalid]').forEach((input) => input.removeAttribute('aria-invalid'));
}

/** Shows each error beside its field and focuses the first one. False if no field matches. */
function refuse(element, fields = {}) {
  let first = null;
  for (const [name, reasons] of Object.entries(fields)) {
    const input = element.querySelector(`.field [name="${CSS.escape(name)}"]`);
    if (!input) continue;
    const place = input.closest('.field');
    place.querySelector('.field-error').textContent = `${place.querySelector('label').textContent} ${reasons.map(texts.errors.reason).join('; ')}.`;
    input.setAttribute('aria-invalid', 'true');
    first ??= input;
  }
  first?.focus();
  return first !== null;
}
