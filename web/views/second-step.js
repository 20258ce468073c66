// The second step of a sign-in: a code, or setting it up where it is required.

import { post } from '../api.js';
import { form } from '../components/field.js';
import { codeField, newApp, recoveryCodes } from '../components/second-step.js';
import { h } from '../dom.js';
import { texts } from '../texts.js';

/** `page` draws an entry page, `replace(view)` shows another one in its place. `entered(path)` starts the session. */
export function secondStepView({ token, set_up: app }, { page, replace, entered }) {
  const words = texts.secondStep;
  const give = async ({ code }) => {
    let found;
    try {
      found = await post('/api/session/second_factor', { token, code });
    } catch (problem) {
      if (problem.status !== 410) throw problem;
      return replace(page(words.ended, words.endedHint, h('a', { class: 'button', href: '/signin' }, texts.entry.signIn)));
    }
    if (!found.recovery_codes) return entered('/');
    return replace(page(words.recoveryTitle, words.recoveryLead, recoveryCodes(found.recovery_codes), form([], words.kept, () => entered('/'))));
  };
  if (app) {
    return page(words.setUpTitle, words.setUpLead, newApp(app), form([codeField({ autofocus: true, hint: words.setUpHint })], words.turnOn, give));
  }
  let isRecovery = false;
  const box = h('div', {});
  const other = h('button', { type: 'button', class: 'link', onclick: () => {
    isRecovery = !isRecovery;
    draw();
    box.querySelector('input').focus();
  } });
  const draw = () => {
    box.replaceChildren(codeField({ isRecovery, autofocus: true, hint: isRecovery ? words.recoveryHint : '' }));
    other.textContent = isRecovery ? words.useApp : words.useRecovery;
  };
  draw();
  return page(words.title, words.lead, form([box], texts.entry.signIn, give), h('p', { class: 'entry-more' }, other));
}
