// The users of the account: roles, deactivation, bans.

import { get, patch, post, remove } from '../../api.js';
import { avatar } from '../../components/avatar.js';
import { confirmDialog, openDialog } from '../../components/dialog.js';
import { field, form } from '../../components/field.js';
import { openMenu } from '../../components/menu.js';
import { passwordField } from '../../components/password-field.js';
import { toast } from '../../components/toast.js';
import { fill, h, iconButton } from '../../dom.js';
import { compareNames } from '../../format.js';
import { putUser, state, watch } from '../../store.js';
import { texts } from '../../texts.js';
import { linkParts } from './invitations.js';
import { actionButton, ago, dateAndTime, line, list, loaded, mark, nothing, number, page, picker } from './parts.js';
import { makeGuest, openSessions, signInLink } from './person-dialogs.js';

/** The list stays fast with ten thousand users; nobody reads further. */
const DRAWN = 100;

const KINDS = {
  everybody: (user) => user.status === 'active',
  admins: (user) => user.status === 'active' && user.role === 'admin',
  guests: (user) => user.status === 'active' && user.role === 'guest',
  unclaimed: (user) => user.is_unclaimed,
  gone: (user) => user.status === 'deactivated',
  banned: (user) => user.status === 'banned',
};

const humans = () => [...state.users.values()].filter((user) => user.role !== 'bot');
const fits = (user, wanted) => !wanted || user.name.toLowerCase().includes(wanted) || (user.email || '').toLowerCase().includes(wanted);

const asked = new Set();

/** Events carry no e-mail addresses: those of users who joined since are fetched. */
function learnAddresses() {
  for (const { id, status, email } of humans()) {
    if (status !== 'active' || email !== undefined || asked.has(id)) continue;
    asked.add(id);
    get(`/api/users/${id}`).then(putUser, () => asked.delete(id));
  }
}

export function people(signal) {
  const words = texts.admin.people;
  let kind = 'everybody';
  const input = h('input', { type: 'search', class: 'filter', placeholder: words.find, 'aria-label': words.find, autocomplete: 'off', oninput: () => draw() });
  const found = h('div', {});
  const status = h('p', { class: 'settings-count', role: 'status' });
  const kinds = picker('kind', words.which, Object.keys(KINDS).map((key) => [key, words.kinds[key]]), { hidden: true, onchange: (value) => { kind = value; draw(); } });
  const draw = () => {
    learnAddresses();
    const wanted = input.value.trim().toLowerCase();
    const all = humans().filter(KINDS[kind]).filter((user) => fits(user, wanted)).sort((a, b) => compareNames(a.name, b.name));
    const more = all.length - DRAWN;
    const focused = found.contains(document.activeElement) ? document.activeElement.closest('li')?.dataset.key : null;
    fill(found, all.length ? list(texts.settings.names.people, all.slice(0, DRAWN).map(one)) : nothing('people', wanted ? words.nobody : words.noneOf[kind]));
    status.textContent = more > 0 ? words.more(number(more)) : words.count(all.length);
    if (focused) found.querySelector(`[data-key="${focused}"] button`)?.focus();
  };
  draw();
  signal.addEventListener('abort', watch(['users'], draw));
  return page('people', words.lead, h('div', { class: 'settings-search' }, input, kinds), found, status);
}

function one(user) {
  const words = texts.admin.people;
  const isMe = user.id === state.me.id;
  return line({
    face: avatar(user, { size: 'medium', online: state.online.has(user.id) }), name: user.name, key: `user-${user.id}`,
    marks: [user.role === 'admin' && user.status === 'active' ? mark(words.admin, 'is-ember') : null, user.role === 'guest' && user.status === 'active' ? mark(words.guest) : null, user.status === 'deactivated' ? mark(words.deactivated) : null, user.status === 'banned' ? mark(words.banned, 'is-danger') : null, user.is_unclaimed ? mark(words.unclaimed) : null, isMe ? mark(texts.common.you) : null].filter(Boolean),
    facts: [user.email ? h('span', { class: 'settings-email' }, user.email) : user.status === 'active' ? null : words.messagesStay[user.status]],
    actions: [user.is_unclaimed ? actionButton(words.invite, () => invite(user), { about: user.name }) : null, user.status === 'deactivated' ? null : iconButton('more', words.actions(user.name), (event) => openMenu(event.currentTarget, acts(user)), { 'aria-haspopup': 'menu' })].filter(Boolean),
  });
}

function acts(user) {
  const words = texts.admin.people;
  if (user.status === 'banned') return [{ label: words.lift, icon: 'check', onclick: () => ask(words.confirmLift(user.name), words.lift, words.confirmLiftDetail, async () => { await remove(`/api/users/${user.id}/ban`); putUser({ ...user, status: 'active' }); }, false) }];
  const isMe = user.id === state.me.id;
  const isAdmin = user.role === 'admin';
  const role = async (wanted) => putUser(await patch(`/api/users/${user.id}`, { role: wanted }));
  return [
    { label: words.edit, icon: 'edit', onclick: () => edit(user) },
    { label: words.identities, icon: 'key', onclick: () => identities(user) },
    isAdmin
      ? { label: words.makeMember, icon: 'person', onclick: () => ask(words.confirmMember(user.name), words.makeMember, isMe ? words.confirmMemberMe : words.confirmMemberDetail, () => role('member'), isMe) }
      : { label: words.makeAdmin, icon: 'shield', onclick: () => ask(words.confirmAdmin(user.name), words.makeAdmin, words.confirmAdminDetail, () => role('admin'), false) },
    user.role === 'guest'
      ? { label: words.guestToMember, icon: 'person', onclick: () => ask(words.confirmGuestToMember(user.name), words.guestToMember, words.confirmGuestToMemberDetail, () => role('member'), false) }
      : !isMe && { label: words.makeGuest, icon: 'lock', onclick: () => makeGuest(user) },
    !user.is_unclaimed && { label: words.signInLink, icon: 'link', onclick: () => signInLink(user).catch(({ message }) => toast(message)) },
    { label: words.sessions, icon: 'device', onclick: () => openSessions(user) },
    !isMe && { label: words.deactivate, icon: 'signOut', danger: true, onclick: () => ask(words.confirmDeactivate(user.name), words.deactivate, words.confirmDeactivateDetail, async () => {
      await remove(`/api/users/${user.id}`);
      putUser({ ...user, status: 'deactivated', email: null });
    }) },
    !isMe && { label: words.ban, icon: 'ban', danger: true, onclick: () => ask(words.confirmBan(user.name), words.ban, words.confirmBanDetail, async () => {
      await post(`/api/users/${user.id}/ban`);
      putUser({ ...user, status: 'banned' });
    }) },
  ];
}

/** Shows a link by which the person takes over the account that was moved here. */
async function invite(user) {
  const words = texts.admin.people;
  const made = await post(`/api/users/${user.id}/invitation`);
  openDialog(words.inviteTitle(user.name), (close) => h('div', { class: 'form' }, h('p', {}, words.inviteLead),
    linkParts(made, words.inviteExpires(dateAndTime(made.expires_at)), words.inviteLink, words.inviteTitle(user.name), state.limits.sends_mail && user.email ? actionButton(words.inviteMail(user.email), async () => {
      await post(`/api/users/${user.id}/invitation/mail`);
      // A notice goes with the dialog that it is in.
      close();
      toast(words.inviteMailed(user.email));
    }) : null)));
}

/** By what somebody signs in: a password, accounts at identity providers. */
async function identities(user) {
  const words = texts.admin.people;
  const drawn = ({ identities: all, has_password: hasPassword }) => [
    h('p', {}, hasPassword ? words.hasPassword : words.hasNoPassword),
    all.length ? list(words.identities, all.map((identity) => line({
      face: 'key', name: identity.provider_name, key: `identity-${identity.id}`,
      facts: [identity.email, [texts.settings.devices.lastUsed, ' ', ago(identity.last_used_at)]],
      actions: [actionButton(words.unlink, async () => {
        await remove(`/api/users/${user.id}/identities/${identity.id}`);
        toast(texts.common.saved);
        place.refresh();
      }, { about: identity.provider_name })],
    }))) : null,
  ];
  const place = loaded(() => get(`/api/users/${user.id}/identities`), drawn, { lines: 1 });
  openDialog(words.identitiesOf(user.name), () => h('div', { class: 'form' }, place.element, h('p', { class: 'field-hint' }, words.unlinkHint)));
}

/** A refusal (the last administrator cannot be demoted) is shown in the dialog. */
function ask(question, action, detail, act, danger = true) {
  confirmDialog(question, action, async () => {
    await act();
    toast(texts.common.saved);
  }, { detail, danger });
}

function edit(user) {
  const words = texts.admin.people;
  const isMe = user.id === state.me.id;
  openDialog(words.editTitle(user.name), (close) => form([
    field('name', words.name, { id: 'person-name', '.value': user.name, maxlength: 100, autocomplete: 'off', autofocus: true, dir: 'auto' }),
    // My own e-mail and password are changed in my profile.
    isMe ? null : field('email', words.email, { id: 'person-email', type: 'email', '.value': user.email || '', autocomplete: 'off' }),
    isMe ? null : passwordField('password', words.password, 'new-password', { id: 'person-password', required: null }, words.passwordHint),
  ].filter(Boolean), texts.common.save, async ({ name, email, password }) => {
    const wanted = { name };
    if (!isMe && email !== (user.email || '')) wanted.email = email;
    if (password) wanted.password = password;
    putUser(await patch(`/api/users/${user.id}`, wanted));
    toast(texts.common.saved);
    close();
  }));
}
