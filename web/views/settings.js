// My profile, my devices, how it looks; the team, for administrators.

import { get, patch, post, remove } from '../api.js';
import { avatar } from '../components/avatar.js';
import { confirmDialog } from '../components/dialog.js';
import { peopleList } from '../components/dialogs.js';
import { field, form } from '../components/field.js';
import { fill, h, icon, sanitised } from '../dom.js';
import { dayLabel, deviceName, timeOfDay } from '../format.js';
import { chooseTheme, theme } from '../theme.js';
import { putUser, state } from '../store.js';
import { texts } from '../texts.js';

const section = (title, ...content) => h('section', { class: 'card' }, h('h2', {}, title), content);

export class CampSettings extends HTMLElement {
  connectedCallback() {
    this.className = 'page-view';
    this.devices = h('ul', { class: 'devices' });
    this.team = h('div', {});
    fill(this, h('header', { class: 'room-head' }, h('a', { href: '/', class: 'icon-button back is-always', 'aria-label': texts.backToRooms }, icon('back')), h('div', { class: 'room-title' }, h('h1', {}, texts.settings))),
      h('div', { class: 'page-scroll' }, h('div', { class: 'settings' }, this.profile(), this.password(), this.looks(), section(texts.devices, this.devices), this.team,
        h('button', { type: 'button', class: 'button', onclick: () => dispatchEvent(new Event('signout')) }, texts.signOut))));
    this.drawDevices();
    if (state.me.role === 'admin') this.drawTeam();
  }

  profile() {
    const { me } = state;
    return section(texts.profile, h('div', { class: 'profile-face' }, avatar(me, { size: 'large' })), form([
      field('name', texts.name, { value: me.name, maxlength: 100, autocomplete: 'name' }),
      field('bio', texts.bio, { value: me.bio, maxlength: 500 }),
    ], texts.save, async (values) => putUser(await patch(`/api/users/${me.id}`, values)), { done: texts.saved }));
  }

  password() {
    const { me } = state;
    return section(texts.changePassword, form([
      field('email', texts.email, { type: 'email', value: me.email, autocomplete: 'username' }),
      field('password', texts.newPassword, { type: 'password', autocomplete: 'new-password' }, texts.passwordHint),
      field('current_password', texts.currentPassword, { type: 'password', autocomplete: 'current-password' }),
    ], texts.save, async ({ email, password, current_password: current }) => {
      const wanted = { current_password: current };
      if (email !== me.email) wanted.email = email;
      if (password) wanted.password = password;
      putUser(await patch(`/api/users/${me.id}`, wanted));
      this.drawDevices();
    }, { quiet: true, done: texts.saved }));
  }

  looks() {
    return section(texts.look, h('fieldset', { class: 'choices choices-row' }, [['', texts.lookSystem], ['light', texts.lookLight], ['dark', texts.lookDark]].map(([value, label]) =>
      h('label', { class: 'choice' }, h('input', { type: 'radio', name: 'theme', value, '.checked': theme() === value, onchange: () => chooseTheme(value) }), label))));
  }

  async drawDevices() {
    const { sessions } = await get('/api/sessions');
    fill(this.devices, sessions.map((session) => {
      const at = new Date(session.last_active_at);
      return h('li', {}, h('div', {}, h('b', {}, deviceName(session.user_agent)), h('small', {}, session.current ? texts.thisDevice : `${texts.lastSeen} ${dayLabel(at)}, ${timeOfDay(at)} · ${session.ip_address}`)),
        session.current ? null : h('button', { type: 'button', class: 'button button-small', onclick: async () => { await remove(`/api/sessions/${session.id}`); this.drawDevices(); } }, texts.signOutDevice));
    }));
  }

  drawTeam() {
    const link = `${location.origin}/join/${state.account.join_code}`;
    const qr = h('div', { class: 'qr' });
    const copy = h('button', { type: 'button', class: 'button button-small', onclick: () => { navigator.clipboard?.writeText(link); copy.textContent = texts.copied; } }, texts.copyLink);
    const renew = async () => {
      const made = await post('/api/account/join_code');
      state.account.join_code = made.join_code;
      this.drawTeam();
      this.querySelector('.qr').append(sanitised(made.qr_svg));
    };
    fill(this.team,
      section(texts.team, form([
        field('name', texts.accountName, { value: state.account.name, maxlength: 100 }),
        h('label', { class: 'choice' }, h('input', { type: 'checkbox', name: 'restrict', '.checked': state.account.settings.restrict_room_creation }), texts.restrict),
      ], texts.save, async ({ name, restrict }) => {
        state.account = await patch('/api/account', { name, settings: { restrict_room_creation: restrict === 'on' } });
      }, { done: texts.saved })),
      section(texts.invite, h('p', {}, texts.inviteHint), h('code', { class: 'join-link' }, link), qr,
        h('div', { class: 'row' }, copy, h('button', { type: 'button', class: 'button button-small', onclick: () => confirmDialog(texts.confirmRenew, texts.renew, renew) }, texts.renew))),
      section(texts.people(state.users.size), peopleList([...state.users.values()].filter((user) => user.status === 'active'), (user) => this.personLine(user), { focused: false })));
  }

  personLine(user) {
    const isMe = user.id === state.me.id;
    const change = async (values) => { putUser(await patch(`/api/users/${user.id}`, values)); this.drawTeam(); };
    return h('div', { class: 'person' }, avatar(user, { size: 'small' }), h('span', {}, user.name, user.role === 'admin' ? h('small', {}, texts.admin) : null),
      isMe ? h('small', {}, texts.you) : h('span', { class: 'row' },
        h('button', { type: 'button', class: 'link', onclick: () => change({ role: user.role === 'admin' ? 'member' : 'admin' }) }, user.role === 'admin' ? texts.makeMember : texts.makeAdmin),
        h('button', { type: 'button', class: 'link is-danger', onclick: () => confirmDialog(texts.confirmDeactivate(user.name), texts.deactivate, async () => {
          await remove(`/api/users/${user.id}`);
          putUser({ ...user, status: 'deactivated' });
          this.drawTeam();
        }) }, texts.deactivate)));
  }
}

customElements.define('camp-settings', CampSettings);
