// My profile: picture, name, bio; e-mail and password.

import { get, patch, post, put, remove } from '../../api.js';
import { avatar } from '../../components/avatar.js';
import { confirmDialog, openDialog } from '../../components/dialog.js';
import { field, form } from '../../components/field.js';
import { passwordField } from '../../components/password-field.js';
import { toast } from '../../components/toast.js';
import { fill, h, onTouch } from '../../dom.js';
import { lazy } from '../../lazy.js';
import { putUser, state, watch } from '../../store.js';
import { texts } from '../../texts.js';
import { pictureField } from './picture-field.js';
import { actionButton, ago, block, line, list, loaded, number, page } from './parts.js';

const BIO_LENGTH = 500;

export function profile(signal) {
  const words = texts.settings.profile;
  return page('profile', words.lead, face(signal), aboutMe(), ...waysIn(), leaving());
}

function face(signal) {
  const words = texts.settings.profile;
  const picture = h('span', {});
  const removal = h('button', { type: 'button', class: 'button button-small', onclick: async () => {
    try {
      await remove(`/api/users/${state.me.id}/avatar`);
      putUser({ ...state.me, avatar_url: null });
      toast(words.pictureRemoved);
    } catch (problem) {
      toast(problem.message);
    }
  } }, words.removePicture);
  const draw = () => {
    fill(picture, avatar(state.me, { size: 'huge' }));
    removal.hidden = !state.me.avatar_url;
  };
  const take = async (file) => {
    const { cropPicture } = await lazy(() => import('../../components/crop.js'));
    await cropPicture(file, { title: words.crop, submit: async (blob) => {
      putUser(await put(`/api/users/${state.me.id}/avatar`, blob));
      toast(words.pictureSaved);
    } });
  };
  draw();
  signal.addEventListener('abort', watch(['users', 'me'], draw));
  return pictureField({ picture, label: words.changePicture, hint: onTouch() ? '' : words.pictureHint, take, more: removal, paste: signal });
}

function aboutMe() {
  const words = texts.settings.profile;
  const { me } = state;
  const bio = field('bio', words.bio, { rows: 3, maxlength: BIO_LENGTH, '.value': me.bio, dir: 'auto' }, words.bioHint);
  const input = bio.querySelector('textarea');
  const count = h('p', { class: 'settings-count' });
  const show = () => { count.textContent = words.count(number(input.value.length), number(BIO_LENGTH)); };
  input.addEventListener('input', show);
  show();
  bio.append(count);
  return block(words.aboutYou, '', form([
    field('name', words.name, { '.value': me.name, maxlength: 100, autocomplete: 'name', dir: 'auto' }, words.nameHint), bio,
  ], texts.common.save, async ({ name, bio: said }) => putUser(await patch(`/api/users/${state.me.id}`, { name, bio: said })), { done: texts.common.saved }));
}

/** Who signs in by a provider alone has no password to give: the server asks for a new sign-in instead. */
let hasPassword = true;

/** How I sign in: e-mail and password, and my accounts at identity providers where there are any. */
function waysIn() {
  const own = signIn();
  const place = h('div', { class: 'settings-providers' });
  const { element, refresh } = loaded(() => get('/api/identities'), (found) => {
    hasPassword = found.has_password || !found.identities.length;
    for (const box of own.querySelectorAll('.password-box')) box.closest('.field').hidden = !hasPassword;
    own.querySelector('.settings-lead').textContent = hasPassword ? texts.settings.profile.signInLead : texts.settings.profile.signInFresh;
    place.hidden = !found.providers.length && !found.identities.length;
    return accounts(found, () => refresh());
  }, { lines: 1 });
  place.hidden = true;
  place.append(block(texts.settings.profile.accounts, texts.settings.profile.accountsLead, refused(), element));
  return [own, place];
}

/** Why linking has failed, which stands in the address as a code. */
function refused() {
  const query = new URLSearchParams(location.search);
  if (!query.has('refused')) return null;
  const words = texts.entry.refused;
  const say = Object.hasOwn(words, query.get('refused')) ? words[query.get('refused')] : words.other;
  return h('p', { class: 'form-error', role: 'alert' }, say(query.get('provider') || '', (query.get('word') || '').replace(/[^\w. -]/g, '').slice(0, 64)));
}

function accounts({ identities, providers, has_password: isSafe }, refresh) {
  const words = texts.settings.profile;
  const others = providers.filter(({ id }) => !identities.some(({ provider }) => provider === id));
  const one = (identity) => line({
    face: 'key', name: identity.provider_name, key: `identity-${identity.id}`,
    facts: [identity.email, [texts.settings.devices.lastUsed, ' ', ago(identity.last_used_at)]],
    actions: isSafe || identities.length > 1 ? [actionButton(words.unlink, () => confirmDialog(words.confirmUnlink(identity.provider_name), words.unlink, async () => {
      await remove(`/api/identities/${identity.id}`);
      toast(words.unlinked(identity.provider_name));
      refresh();
    }, { detail: words.confirmUnlinkDetail }), { about: identity.provider_name })] : [],
  });
  const link = ({ id, name }) => actionButton(words.link(name), async () => {
    location.assign((await post(`/api/identities/${encodeURIComponent(id)}`)).url);
  }, { kind: '' });
  return [identities.length ? list(words.accounts, identities.map(one)) : null, others.length ? h('div', { class: 'row' }, others.map(link)) : null];
}

function signIn() {
  const words = texts.settings.profile;
  const element = form([
    field('email', words.email, { type: 'email', '.value': state.me.email || '', autocomplete: 'username', inputmode: 'email' }),
    passwordField('password', words.newPassword, 'new-password', { required: null }, words.newPasswordHint),
    passwordField('current_password', words.currentPassword, 'current-password', {}, words.currentPasswordHint),
  ], words.saveSignIn, async ({ email, password, current_password: current }) => {
    const wanted = hasPassword ? { current_password: current } : {};
    if (email !== state.me.email) wanted.email = email;
    if (password) wanted.password = password;
    putUser(await patch(`/api/users/${state.me.id}`, wanted));
    for (const input of element.querySelectorAll('.password-box input')) input.value = '';
  }, { quiet: true, done: texts.common.saved });
  return block(words.signIn, words.signInLead, element);
}

/** Deactivating oneself takes the password. The socket then says that one is signed out. */
function leaving() {
  const words = texts.settings.profile;
  const ask = () => openDialog(words.leaveQuestion, () => form([
    h('p', {}, words.leaveDetail), hasPassword ? passwordField('current_password', words.currentPassword, 'current-password', { id: 'leave-password', autofocus: true }) : h('p', {}, words.signInFresh),
  ], words.leaveButton, ({ current_password: current }) => remove(`/api/users/${state.me.id}`, hasPassword ? { current_password: current } : {}), { danger: true }), { kind: 'dialog-confirm' });
  return block(words.leave, words.leaveLead, h('div', { class: 'row' }, h('button', { type: 'button', class: 'button is-danger', onclick: ask }, words.leaveButton)));
}
