// My second step of signing in: turning it on and off, setting it up anew, recovery codes.

import { get, post, put, remove } from '../../api.js';
import { openDialog } from '../../components/dialog.js';
import { form } from '../../components/field.js';
import { passwordField } from '../../components/password-field.js';
import { codeField, newApp, recoveryCodes } from '../../components/second-step.js';
import { toast } from '../../components/toast.js';
import { fill, h } from '../../dom.js';
import { texts } from '../../texts.js';
import { block, dateAndTime, line, list, loaded, mark } from './parts.js';

export function secondFactor() {
  const words = texts.settings.secondFactor;
  const { element, refresh } = loaded(() => get('/api/second_factor'), (status) => drawn(status, () => refresh()), { lines: 1 });
  return block(words.title, words.lead, element);
}

function drawn(status, refresh) {
  const words = texts.settings.secondFactor;
  const button = (label, act, kind = 'button-small') => h('button', { type: 'button', class: `button ${kind}`, onclick: act }, label);
  if (!status.is_on) {
    return [status.is_required ? h('p', {}, words.required) : null, h('div', { class: 'row' }, button(words.turnOn, () => setUp(status, refresh), ''))];
  }
  return list(words.title, [line({
    face: 'lock', name: words.app, key: 'second-factor', marks: [mark(words.on, 'is-good')],
    facts: [words.since(dateAndTime(status.since)), words.left(status.recovery_codes), status.is_required ? words.required : null],
    actions: [button(words.renew, () => renew(status, refresh)), button(words.anew, () => setUp(status, refresh)),
      status.is_required ? null : button(words.turnOff, () => turnOff(status, refresh), 'button-small is-danger')].filter(Boolean),
  })]);
}

/** What shows that it is me: the password, and a code where there is a second step already. */
const proofs = ({ has_password: hasPassword, is_on: isOn }) => [
  hasPassword ? passwordField('current_password', texts.settings.profile.currentPassword, 'current-password', { id: 'factor-password', autofocus: true }) : h('p', {}, texts.settings.profile.signInFresh),
  isOn ? codeField({ id: 'factor-code', inputmode: 'text', autofocus: !hasPassword, hint: texts.settings.secondFactor.codeHint }) : null,
].filter(Boolean);

const given = ({ current_password: current, code }) => ({ ...(current === undefined ? {} : { current_password: current }), ...(code ? { code } : {}) });

function setUp(status, refresh) {
  const words = texts.settings.secondFactor;
  openDialog(status.is_on ? words.anew : words.turnOn, (close) => {
    const place = h('div', { class: 'form' });
    fill(place, form([h('p', {}, words.appLead), ...proofs(status)], words.next, async (values) => {
      const { token, set_up: app } = await post('/api/second_factor', given(values));
      fill(place, h('p', {}, texts.secondStep.setUpLead), newApp(app), form([codeField({ id: 'factor-first', hint: texts.secondStep.setUpHint })], texts.secondStep.turnOn, async ({ code }) => {
        const made = await put('/api/second_factor', { token, code });
        refresh();
        showCodes(place, made.recovery_codes, close);
      }));
      place.querySelector('#factor-first').focus();
    }));
    return place;
  }, { kind: 'dialog-factor' });
}

function showCodes(place, codes, close) {
  const shown = recoveryCodes(codes);
  fill(place, h('p', {}, texts.secondStep.recoveryLead), shown, h('div', { class: 'row' }, h('button', { type: 'button', class: 'button button-primary', onclick: close }, texts.secondStep.kept)));
  shown.focus();
}

function renew(status, refresh) {
  const words = texts.settings.secondFactor;
  openDialog(words.renew, (close) => {
    const place = h('div', { class: 'form' });
    fill(place, form([h('p', {}, words.renewLead), ...proofs(status)], words.renew, async (values) => {
      const made = await post('/api/second_factor/recovery_codes', given(values));
      refresh();
      showCodes(place, made.recovery_codes, close);
    }));
    return place;
  }, { kind: 'dialog-factor' });
}

function turnOff(status, refresh) {
  const words = texts.settings.secondFactor;
  openDialog(words.turnOffTitle, (close) => form([h('p', {}, words.turnOffLead), ...proofs(status)], words.turnOff, async (values) => {
    await remove('/api/second_factor', given(values));
    close();
    toast(words.isOff);
    refresh();
  }, { danger: true }), { kind: 'dialog-factor' });
}
