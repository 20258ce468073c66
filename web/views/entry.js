// Entry views: first run, signing in, joining, resetting a password, signing in a second device.

import { get, post } from '../api.js';
import { field, form } from '../components/field.js';
import { passwordField } from '../components/password-field.js';
import { fill, h } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';
import { notedWanted } from '../wanted.js';
import { secondStepView } from './second-step.js';

/** One column: the logo, a title, a sentence, a form. */
function page(account, title, lead, ...content) {
  document.title = account?.name && !title.includes(account.name) ? texts.app.titleWith(title, account.name) : title;
  const sign = account?.logo_url ? h('img', { class: 'entry-logo', src: account.logo_url, alt: '', width: 72, height: 72 }) : h('span', { class: 'entry-flame' }, icon('flame'));
  return h('main', { class: 'entry' }, h('div', { class: 'entry-card' }, sign, h('h1', { dir: 'auto' }, title), lead ? h('p', { class: 'entry-lead' }, lead) : null, content));
}

const nameField = (attributes = {}) => field('name', texts.entry.yourName, { autocomplete: 'name', maxlength: 100, required: true, autocapitalize: 'words', ...attributes });
const emailField = (attributes = {}) => field('email', texts.entry.email, { type: 'email', autocomplete: 'username', required: true, inputmode: 'email', autocapitalize: 'off', spellcheck: 'false', ...attributes });
const newPassword = (label = texts.entry.password, attributes = {}) => passwordField('password', label, 'new-password', { minlength: 8, ...attributes }, texts.entry.passwordHint);
const more = (...words) => h('p', { class: 'entry-more' }, words);

/** Posts, with a message of its own for a link that is not valid any more. */
async function byLink(path, values, words) {
  try {
    return await post(path, values);
  } catch (problem) {
    if (problem.status === 404) problem.message = words;
    throw problem;
  }
}

/** `entered(path)` starts the session once somebody is signed in. */
export function setupView(entered) {
  return page(null, texts.entry.setupTitle, texts.entry.setupLead, form([
    field('account_name', texts.entry.accountName, { autofocus: true, maxlength: 100, required: true, autocomplete: 'organization' }),
    nameField(), emailField(), passwordField('password', texts.entry.password, 'new-password', { minlength: 8 }, texts.entry.setupPasswordHint),
  ], texts.entry.setupButton, async (values) => {
    await post('/api/setup', values);
    await entered('/', { isNew: true });
  }));
}

const EMAIL = 'campfire.email';

/** After a wrong password a reload keeps the e-mail, in this tab. */
function keepEmail(email) {
  try {
    if (email) sessionStorage.setItem(EMAIL, email);
    else sessionStorage.removeItem(EMAIL);
  } catch {
    // Without storage it has to be typed again.
  }
}

function keptEmail() {
  try {
    return sessionStorage.getItem(EMAIL) || '';
  } catch {
    return '';
  }
}

/**
 * `known` is an e-mail to fill in, `notice` the reason why sign-in is shown, `ways` how people sign in where there are providers.
 * With `sendsMail` a forgotten password can be replaced.
 */
export function signInView(entered, account, { known = '', notice = '', sendsMail = false, ways = null } = {}) {
  const email = known || keptEmail();
  const why = notice || refusal(ways);
  const head = [account, account?.name ? texts.entry.signInTitle(account.name) : texts.entry.signIn, why ? '' : texts.entry.signInLead,
    why ? h('p', { class: 'entry-notice', role: notice ? 'status' : 'alert' }, why) : null];
  const buttons = ways ? providerButtons(ways, notedWanted()) : null;
  // An administrator still comes in by a password until one has come by a provider.
  const asked = new URLSearchParams(location.search).has('password');
  const mayAsk = ways && !ways.password && ways.password_of_administrators;
  if (ways && !ways.password && !(mayAsk && asked)) {
    return page(...head, buttons, mayAsk ? more(h('a', { href: '/signin?password' }, texts.entry.administratorsPassword)) : null);
  }
  const mayForget = sendsMail && (!ways || ways.password);
  const view = page(...head, buttons, buttons ? h('p', { class: 'entry-or' }, texts.entry.or) : null,
    form([emailField({ value: email, autofocus: !email }), passwordField('password', texts.entry.password, 'current-password', { autofocus: Boolean(email) })], texts.entry.signIn, async (values) => {
      keepEmail(values.email);
      const found = await post('/api/session', values);
      keepEmail('');
      if (found.second_factor) return nextStep(view, found.second_factor, entered, account);
      return entered('/');
    }, { quiet: Boolean(buttons) }), mayForget ? more(h('a', { href: '/signin', onclick: (event) => {
      event.preventDefault();
      const typed = view.querySelector('[name="email"]').value.trim();
      replace(view, forgottenView(account, typed, (known) => signInView(entered, account, { known, sendsMail, ways })));
    } }, texts.entry.forgot)) : more(texts.entry.forgotten));
  return view;
}

/** Asks for the second step in the place of a view. */
function nextStep(view, asked, entered, account) {
  let shown = view;
  const show = (other) => {
    replace(shown, other);
    shown = other;
  };
  show(secondStepView(asked, { page: (...parts) => page(account, ...parts), replace: show, entered }));
}

/** Shows another view in the place of this one. */
function replace(view, other) {
  view.replaceWith(other);
  other.querySelector('[autofocus]')?.focus();
}

/** Has a link to choose a new password mailed. What is said does not tell whether anybody has the address. */
function forgottenView(account, known, back) {
  const view = page(account, texts.entry.forgotTitle, texts.entry.forgotLead,
    form([emailField({ value: known, autofocus: true })], texts.entry.forgotButton, ({ email }) => post('/api/session/reset', { email }), { done: texts.entry.forgotDone }),
    more(h('a', { href: '/signin', onclick: (event) => {
      event.preventDefault();
      replace(view, back(view.querySelector('[name="email"]').value.trim()));
    } }, texts.entry.toSignIn)));
  return view;
}

const providerButtons = ({ providers }, to) => h('div', { class: 'entry-providers' }, providers.map(({ id, name }, place) => h('a', {
  class: `button ${place ? '' : 'button-primary'}`, href: `/signin/oidc/${encodeURIComponent(id)}${to ? `?${new URLSearchParams({ to })}` : ''}`,
}, texts.entry.signInWith(name))));

/** Why a provider's sign-in has failed, in words. The address has a code only, so that nobody can put words in by a link. */
function refusal(ways) {
  const query = new URLSearchParams(location.search);
  const name = ways?.providers.find(({ id }) => id === query.get('provider'))?.name;
  return name && query.has('refused') ? refusedBy(query.get('refused'), name, query.get('word') || '') : '';
}

/** The sentence of a code. `word` is the provider's own, cut to what such words are made of. */
export function refusedBy(code, name, word) {
  const say = Object.hasOwn(texts.entry.refused, code) ? texts.entry.refused[code] : texts.entry.refused.other;
  return say(name, word.replace(/[^\w. -]/g, '').slice(0, 64));
}

/** `toSignIn(options)` shows the sign-in view instead. */
export function joinView(code, entered, account, toSignIn, ways = null) {
  const team = account?.name || '';
  if (ways && !ways.password) return page(account, texts.entry.joinTitle(team), texts.entry.joinByProvider, providerButtons(ways, ''));
  return page(account, texts.entry.joinTitle(team), texts.entry.joinLead, form([nameField({ autofocus: true }), emailField(), newPassword()], texts.entry.joinButton(team), async (values) => {
    try {
      await byLink(`/api/join/${encodeURIComponent(code)}`, values, texts.entry.badCode);
    } catch (problem) {
      // An account that waits for its owner has no password to sign in with.
      if (problem.status !== 409 || problem.code === 'unclaimed') throw problem;
      return void toSignIn({ known: values.email, notice: texts.entry.emailTaken });
    }
    await entered('/', { isNew: true });
  }), more(texts.entry.haveAccount, ' ', h('a', { href: '/signin', onclick: (event) => {
    event.preventDefault();
    toSignIn({});
  } }, texts.entry.signIn)));
}

/** Whether an invitation works, asked before anything is typed. Without an answer it may. */
export const isInvited = (code) => get(`/api/join/${encodeURIComponent(code)}`).then(() => true, ({ status }) => status !== 404);

/** An invitation that does not work any more. */
export const uninvitedView = (account) => page(account, texts.entry.badInvitation, texts.entry.badInvitationHint, h('a', { class: 'button', href: '/signin' }, texts.entry.signIn));

export function resetView(token, entered, account) {
  const view = page(account, texts.entry.resetTitle, texts.entry.resetLead, form([newPassword(texts.entry.newPassword, { autofocus: true })], texts.entry.resetButton, async (values) => {
    const found = await byLink(`/api/session/reset/${encodeURIComponent(token)}`, values, texts.entry.badReset);
    if (found.second_factor) return nextStep(view, found.second_factor, entered, account);
    return entered('/');
  }), more(h('a', { href: '/signin' }, texts.entry.toSignIn)));
  return view;
}

/** An invitation: to join, or to take over an account that was moved here. */
export async function invitedView(token, entered, account, { toSignIn, isSignedIn, ways = null }) {
  const path = `/api/invitations/${encodeURIComponent(token)}`;
  let known;
  try {
    known = await get(path);
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    return page(account, texts.entry.badClaim, texts.entry.badClaimHint, h('a', { class: 'button', href: '/signin' }, texts.entry.toSignIn));
  }
  const isNew = known.name === null;
  if (isNew && isSignedIn) return alreadyInView(account);
  if (ways && !ways.password) return page(account, texts.entry.joinTitle(account?.name || ''), texts.entry.joinByProvider, providerButtons(ways, ''));
  if (isNew) return invitationView(path, known, entered, account, toSignIn);
  const email = known.email || '';
  return page(account, texts.entry.inviteTitle(known.name), texts.entry.inviteLead, form([emailField({ value: email, autofocus: !email }), newPassword(texts.entry.newPassword, { autofocus: Boolean(email) })], texts.entry.inviteButton, async (values) => {
    await byLink(path, values, texts.entry.badClaimHint);
    await entered('/', { isNew: true });
  }));
}

/** Who is in already has no use for an invitation; a second account would be a mistake. */
const alreadyInView = (account) => page(account, texts.entry.alreadyIn, texts.entry.alreadyInHint, h('a', { class: 'button button-primary', href: '/' }, texts.common.home));

function invitationView(path, { inviter, role, rooms }, entered, account, toSignIn) {
  const team = account?.name || '';
  const lead = role === 'guest' ? texts.entry.guestLead(inviter) : texts.entry.invitedLead(inviter);
  return page(account, texts.entry.joinTitle(team), lead,
    rooms.length ? h('ul', { class: 'entry-rooms', 'aria-label': texts.entry.invitedRooms }, rooms.map((name) => h('li', { dir: 'auto' }, name))) : null,
    form([nameField({ autofocus: true }), emailField(), newPassword()], texts.entry.joinButton(team), async (values) => {
      try {
        await byLink(path, values, texts.entry.badClaimHint);
      } catch (problem) {
        if (problem.status !== 409 || problem.code === 'unclaimed') throw problem;
        return void toSignIn({ known: values.email, notice: texts.entry.emailTaken });
      }
      await entered('/', { isNew: true });
    }), more(texts.entry.haveAccount, ' ', h('a', { href: '/signin', onclick: (event) => {
      event.preventDefault();
      toSignIn({});
    } }, texts.entry.signIn)));
}

/** A button has to be pressed: programs that open links in advance would use up this one. */
export function transferView(token, entered, account) {
  const view = page(account, texts.entry.transferTitle, texts.entry.transferLead, form([], texts.entry.transferButton, async () => {
    try {
      await post(`/api/session/transfer/${encodeURIComponent(token)}`);
    } catch (problem) {
      if (problem.status !== 404) throw problem;
      return void fill(view.firstElementChild, spent(account));
    }
    await entered('/');
  }));
  return view;
}

function spent(account) {
  const { firstElementChild: card } = page(account, texts.entry.badTransfer, texts.entry.badTransferHint, h('a', { class: 'button', href: '/signin' }, texts.entry.toSignIn));
  return [...card.childNodes];
}
