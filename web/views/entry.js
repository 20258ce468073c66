// Coming in: first run, signing in, joining, a new password.

import { post } from '../api.js';
import { field, form } from '../components/field.js';
import { h, icon } from '../dom.js';
import { texts } from '../texts.js';

function page(title, lead, ...content) {
  return h('main', { class: 'entry' }, h('div', { class: 'entry-card' },
    h('span', { class: 'entry-flame' }, icon('flame')), h('h1', {}, title), h('p', { class: 'entry-lead' }, lead), content));
}

const name = () => field('name', texts.name, { autocomplete: 'name', maxlength: 100, required: true });
const email = (attributes = {}) => field('email', texts.email, { type: 'email', autocomplete: 'username', required: true, inputmode: 'email', ...attributes });
const newPassword = () => field('password', texts.password, { type: 'password', autocomplete: 'new-password', required: true }, texts.passwordHint);

/** `entered(room)` goes on once somebody is signed in. */
export function setupView(entered) {
  return page(texts.setupTitle, texts.setupLead, form(
    [field('account_name', texts.accountName, { autofocus: true, maxlength: 100, required: true, autocomplete: 'organization' }), name(), email(), newPassword()],
    texts.setupButton, async (values) => {
      const { room } = await post('/api/setup', values);
      await entered(`/rooms/${room.id}`);
    }));
}

export function signInView(entered) {
  return page(texts.signIn, texts.signInLead, form(
    [email({ autofocus: true }), field('password', texts.password, { type: 'password', autocomplete: 'current-password', required: true })],
    texts.signIn, async (values) => {
      await post('/api/session', values);
      await entered('/');
    }));
}

export function joinView(code, entered) {
  return page(texts.joinTitle, texts.joinLead, form([name(), email(), newPassword()], texts.joinButton, async (values) => {
    try {
      await post(`/api/join/${encodeURIComponent(code)}`, values);
    } catch (problem) {
      if (problem.status === 404) problem.message = texts.badCode;
      throw problem;
    }
    await entered('/');
  }), h('p', { class: 'entry-more' }, h('a', { href: '/signin' }, texts.joinInstead)));
}

export function resetView(token, entered) {
  return page(texts.resetTitle, texts.resetLead, form([newPassword()], texts.resetButton, async (values) => {
    try {
      await post(`/api/session/reset/${encodeURIComponent(token)}`, values);
    } catch (problem) {
      if (problem.status === 404) problem.message = texts.badReset;
      throw problem;
    }
    await entered('/');
  }));
}
