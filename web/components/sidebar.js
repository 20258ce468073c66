// The sidebar; on a phone it is the first screen.

import { afterPaint, fill, h, heard, iconButton, onPhone } from '../dom.js';
import { icon } from '../icons.js';
import { foldSide, isApple, openKeys, openSwitcher } from '../keyboard.js';
import { go } from '../routes.js';
import { state, watch } from '../store.js';
import { texts } from '../texts.js';
import { chooseTheme, theme } from '../theme.js';
import { canInstall, install } from '../worker.js';
import { avatar } from './avatar.js';
import { openMenu } from './menu.js';
import { askCard } from './side-ask.js';
import { directsSection } from './side-directs.js';
import { hiddenSection, roomsSection } from './side-rooms.js';

class CampSidebar extends HTMLElement {
  connectedCallback() {
    this.className = 'side';
    this.sections = [directsSection(), roomsSection(), hiddenSection()];
    this.ask = askCard();
    this.brand = h('a', { href: '/', class: 'brand-link', onclick: (event) => this.goHome(event) });
    this.meButton = h('button', { type: 'button', class: 'side-me-button', 'aria-haspopup': 'menu', onclick: () => this.openMe() });
    this.list = h('nav', { class: 'side-scroll', 'aria-label': texts.side.label, tabindex: -1 }, this.sections.map(({ element }) => element));
    fill(this,
      h('h1', { class: 'heard side-title' }, texts.side.label),
      h('div', { class: 'brand' }, this.brand, iconButton('sidebar', texts.side.hide, () => foldSide(true), { class: 'icon-button side-hide', 'aria-keyshortcuts': 'Control+\\' })),
      h('button', { type: 'button', class: 'jump', 'aria-keyshortcuts': 'Control+K', onclick: openSwitcher }, icon('search'), h('span', {}, texts.side.jump), h('kbd', { 'aria-hidden': 'true' }, isApple() ? '⌘K' : `${texts.keys.ctrl} K`)),
      this.list,
      this.ask.element,
      h('div', { class: 'side-me' }, this.meButton, h('a', { href: '/settings', class: 'icon-button', 'aria-label': texts.side.settings, title: texts.side.settings }, icon('gear'))));
    this.stops = [
      watch(['rooms', 'users', 'presence', 'account', 'me', 'route', 'drafts', 'words', 'day', 'zone'], (topics) => this.draw(topics)),
      watch(['account'], () => this.drawBrand()),
      watch(['me', 'users', 'connection'], () => this.drawMe()),
    ];
    this.drawBrand();
    this.drawMe();
    // Beside a room the lists are drawn a moment later: neither waits for the layout of both.
    if (onPhone()) this.comeIn();
    else afterPaint(() => this.comeIn());
  }

  disconnectedCallback() {
    this.stops.forEach((stop) => stop());
    this.ask.stop();
  }

  comeIn() {
    this.isIn = true;
    this.draw(['users', 'route']);
  }

  draw(topics) {
    if (!this.isIn) return;
    this.sections.forEach((section) => section.draw(topics));
    // Scrolls the open room into view.
    if (topics.includes('route')) requestAnimationFrame(() => this.querySelector('[aria-current="page"]')?.scrollIntoView({ block: 'nearest' }));
  }

  drawBrand() {
    const { name = 'Campfire', logo_url: logo } = state.account || {};
    fill(this.brand, logo ? h('img', { class: 'brand-logo', src: logo, alt: '', width: 30, height: 30 }) : h('span', { class: 'brand-flame' }, icon('flame')), h('bdi', { class: 'brand-name', translate: 'no' }, name));
  }

  drawMe() {
    const { me, connected } = state;
    fill(this.meButton, avatar(me, { size: 'small', online: connected }), h('span', { class: 'side-me-name' }, h('span', { dir: 'auto', translate: 'no' }, me.name), me.bio ? h('small', { dir: 'auto' }, me.bio) : null), heard(texts.side.menu));
  }

  /** On a phone, home is the top of the list. */
  goHome(event) {
    if (!onPhone()) return;
    event.preventDefault();
    this.list.scrollTo({ top: 0, behavior: 'smooth' });
  }

  openMe() {
    const look = (value, label, name) => ({ label, icon: name, checked: theme() === value, onclick: () => chooseTheme(value) });
    openMenu(this.meButton, [
      { label: texts.side.profile, icon: 'person', onclick: () => go('/settings/profile') },
      { label: texts.side.settings, icon: 'gear', onclick: () => go('/settings') },
      'line', look('light', texts.side.light, 'sun'), look('dark', texts.side.dark, 'moon'), look('', texts.side.system, 'device'), 'line',
      onPhone() ? null : { label: texts.side.keys, icon: 'keyboard', onclick: openKeys },
      canInstall() ? { label: texts.side.install, icon: 'download', onclick: install } : null,
      { label: texts.side.signOut, icon: 'signOut', onclick: () => dispatchEvent(new Event('signout')) },
    ]);
  }
}

customElements.define('camp-sidebar', CampSidebar);
