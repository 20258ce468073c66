// Fields of forms, with what is wrong beside them.

import { h } from '../dom.js';

export function field(name, label, attributes = {}, hint = '') {
  const id = `field-${name}`;
  const error = h('p', { class: 'field-error', id: `${id}-error`, role: 'alert' });
  const input = h(attributes.rows ? 'textarea' : 'input', { id, name, 'aria-describedby': `${id}-error`, ...attributes });
  return h('div', { class: 'field' }, h('label', { for: id }, label), input, hint ? h('p', { class: 'field-hint' }, hint) : null, error);
}

/** A form that sends itself with `submit(values)`, and shows what the server refuses. */
export function form(fields, label, submit, { quiet = false, done = '' } = {}) {
  const wrong = h('p', { class: 'form-error', role: 'alert' });
  const button = h('button', { class: `button ${quiet ? '' : 'button-primary'}`, type: 'submit' }, label);
  const element = h('form', { class: 'form', novalidate: true }, fields, wrong, h('div', { class: 'row' }, button));
  element.addEventListener('submit', async (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(element));
    wrong.textContent = '';
    wrong.classList.remove('is-good');
    element.querySelectorAll('.field-error').forEach((error) => { error.textContent = ''; });
    element.querySelectorAll('[aria-invalid]').forEach((input) => input.removeAttribute('aria-invalid'));
    button.disabled = true;
    try {
      await submit(values);
      if (done) {
        wrong.textContent = done;
        wrong.classList.add('is-good');
      }
    } catch (problem) {
      let shown = false;
      for (const [name, reasons] of Object.entries(problem.fields || {})) {
        const error = element.querySelector(`#field-${CSS.escape(name)}-error`);
        if (!error) continue;
        error.textContent = `${error.parentElement.querySelector('label').textContent} ${reasons.join('; ')}.`;
        const input = element.querySelector(`#field-${CSS.escape(name)}`);
        input.setAttribute('aria-invalid', 'true');
        if (!shown) input.focus();
        shown = true;
      }
      if (!shown) wrong.textContent = problem.message;
    } finally {
      button.disabled = false;
    }
  });
  return element;
}
