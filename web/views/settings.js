// The settings: a list of sections beside the chosen one. On a phone the list is a page of its own.

import { emptyElement, fill, h } from '../dom.js';
import { icon } from '../icons.js';
import { lazy } from '../lazy.js';
import { isAdmin, mayInvite } from '../rights.js';
import { watch } from '../store.js';
import { texts } from '../texts.js';
import { about } from './settings/about.js';
import { appearance } from './settings/appearance.js';
import { devices } from './settings/devices.js';
import { notifications } from './settings/notifications.js';
import { skeleton } from './settings/parts.js';
import { profile } from './settings/profile.js';
import { tokens } from './settings/tokens.js';

// The function of a section gets a signal that is aborted when the section is left.
const YOU = { profile, devices, notifications, appearance, tokens, about };
const TEAM = ['account', 'invite', 'people', 'signins', 'bots', 'hooks', 'emoji', 'css', 'jobs', 'audit'];
const ICONS = {
  profile: 'person', devices: 'device', notifications: 'bell', appearance: 'palette', tokens: 'key', about: 'flame',
  account: 'gear', invite: 'invite', people: 'people', signins: 'lock', bots: 'bot', hooks: 'hook', emoji: 'smile', css: 'code', jobs: 'refresh', audit: 'shield',
};

const asked = () => location.pathname.split('/')[2] || '';
/** The sections of the team that this viewer has. */
const ofTeam = () => (isAdmin() ? TEAM : mayInvite() ? ['invite'] : []);

class CampSettings extends HTMLElement {
  connectedCallback() {
    this.className = 'settings-view';
    this.nav = h('nav', { class: 'settings-nav', 'aria-label': texts.settings.sections });
    this.place = h('div', { class: 'settings-place' });
    this.back = h('a', { href: '/', class: 'icon-button back', 'aria-label': texts.common.home, title: texts.common.home }, icon('back'));
    fill(this, h('header', { class: 'room-head' }, this.back, h('div', { class: 'room-title' }, h('h1', {}, texts.settings.title))),
      h('div', { class: 'settings-columns' }, this.nav, this.place));
    this.stop = watch(['me', 'users', 'account'], () => {
      if (this.had === ofTeam().join()) return;
      this.drawNav();
      if (TEAM.includes(asked())) this.draw(asked());
    });
    this.drawNav();
    this.show({ focus: false });
  }

  disconnectedCallback() {
    this.left?.abort();
    this.stop();
  }

  drawNav() {
    this.had = ofTeam().join();
    const group = (title, names) => [h('h2', { class: 'settings-group' }, title), h('ul', {}, names.map((name) => h('li', {},
      h('a', { href: `/settings/${name}`, 'data-section': name }, icon(ICONS[name]), h('span', {}, texts.settings.names[name]), icon('chevronRight')))))];
    fill(this.nav, group(texts.settings.you, Object.keys(YOU)), ofTeam().length ? group(texts.settings.team, ofTeam()) : null,
      h('button', { type: 'button', class: 'settings-leave', onclick: () => dispatchEvent(new Event('signout')) }, icon('signOut'), h('span', {}, texts.settings.signOut)));
    this.markHere();
  }

  markHere() {
    const here = asked() || 'profile';
    for (const link of this.nav.querySelectorAll('a')) {
      if (link.dataset.section === here) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  }

  /** The address has changed to another section. */
  routed() {
    this.show({ focus: true });
  }

  async show({ focus }) {
    const name = asked();
    const before = this.shown;
    this.classList.toggle('shows-section', name !== '');
    this.back.href = name ? '/settings' : '/';
    this.back.title = name ? texts.settings.back : texts.common.home;
    this.back.setAttribute('aria-label', this.back.title);
    this.markHere();
    this.shown = name;
    if (focus && !name && before) this.nav.querySelector(`[data-section="${before}"]`)?.focus();
    if (before !== undefined && (name || 'profile') === (before || 'profile') && this.place.firstElementChild) return;
    await this.draw(name || 'profile');
    // On a phone the link that was pressed is hidden now.
    if (focus && name && !this.nav.offsetParent) this.place.querySelector('h2')?.focus();
  }

  async draw(name) {
    this.left?.abort();
    this.left = new AbortController();
    const { signal } = this.left;
    this.place.scrollTop = 0;
    let draw = YOU[name];
    if (!draw && ofTeam().includes(name)) {
      fill(this.place, h('div', { class: 'settings-page', 'aria-busy': 'true' }, skeleton(4)));
      draw = (await lazy(() => import('./settings/team.js'))).team[name];
      if (signal.aborted) return;
    }
    fill(this.place, draw ? draw(signal) : emptyElement(texts.settings.noSection, texts.settings.noSectionHint, h('a', { class: 'button', href: '/settings' }, texts.settings.back)));
  }
}

customElements.define('camp-settings', CampSettings);
