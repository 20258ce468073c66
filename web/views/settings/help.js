// Help by browser and system: allowing notifications, finding out why none come, installing. Loaded where it is shown.

import { drawing } from '../../components/drawings.js';
import { h } from '../../dom.js';
import { here } from '../../here.js';
import { state } from '../../store.js';
import { language, texts } from '../../texts.js';
import { isInstalled } from '../../worker.js';

const INSTALL_PICTURES = { ios: ['shareButton', 'addToHome', 'homeScreen'], android: ['dots', 'installEntry', 'homeScreen'], desktop: ['addressIcon', 'ownWindow'], safari: ['fileMenu', 'ownWindow'], firefox: ['ownWindow'] };

/** Loads the texts; call it before any of the others. */
export async function ready() {
  const { words } = await (language() === 'de' ? import('../../texts/help-de.js') : import('../../texts/help-en.js'));
  Object.assign(texts, words);
}

const app = () => state.account?.name || 'Campfire';
const isPhone = (system) => system === 'ios' || system === 'android';
const said = (words) => (typeof words === 'function' ? words(app()) : words);

/** Numbered steps, each with its drawing if there is one. */
const steps = (lines, pictures = []) => h('ol', { class: 'help-steps' }, lines.map((line, place) => h('li', {}, pictures[place] ? drawing(pictures[place]) : null, h('span', {}, line))));

const folded = (title, ...content) => h('details', { class: 'help-more' }, h('summary', {}, title), content);

/** Which of the ways to allow notifications this browser has. */
export function wayToAllow({ browser, system }, installed = false) {
  if (system === 'ios') return 'ios';
  if (system === 'android') return installed ? 'app' : browser === 'samsung' ? 'samsung' : 'android';
  return browser === 'firefox' || browser === 'safari' ? browser : 'desktop';
}

/** Which of the ways to install. */
export function wayToInstall({ browser, system }) {
  if (isPhone(system)) return system;
  return browser === 'firefox' || (browser === 'safari' && system === 'mac') ? browser : 'desktop';
}

const allowPicture = (way) => (['desktop', 'firefox'].includes(way) ? 'siteSettings' : 'systemSettings');

/** How to allow notifications that were blocked: here, and folded in the other browsers. */
export function allowHelp(place = here()) {
  const words = texts.help;
  const mine = wayToAllow(place, isInstalled());
  const others = { desktop: words.on(`${words.browsers.chrome}, ${words.browsers.edge}`, words.systems.desktop), firefox: words.on(words.browsers.firefox, words.systems.desktop), safari: words.on(words.browsers.safari, words.systems.mac), android: words.systems.android, samsung: words.browsers.samsung, ios: words.systems.ios };
  return h('div', { class: 'help' }, h('h4', {}, words.blocked), drawing(allowPicture(mine)), steps(said(words.allow[mine])),
    folded(words.blockedElsewhere, Object.entries(others).filter(([way]) => way !== mine).map(([way, name]) => h('section', {}, h('h5', {}, name), steps(said(words.allow[way]))))));
}

/** What to look at where notifications are on and none come. */
export function silenceHelp({ system } = here()) {
  const words = texts.help;
  return h('div', { class: 'help' }, folded(words.nothingComes, h('p', {}, words.nothingLead), drawing('systemSettings'), h('ul', { class: 'help-list' }, said(words.system[system]).map((line) => h('li', {}, line)))));
}

/** How to install: on this device with pictures, and folded on others. */
export function installHelp(place = here()) {
  const words = texts.help;
  const mine = wayToInstall(place);
  const others = { ios: words.systems.ios, android: words.systems.android, desktop: words.systems.desktop, safari: words.on(words.browsers.safari, words.systems.mac) };
  return h('div', { class: 'help' }, steps(said(words.installs[mine]), INSTALL_PICTURES[mine]),
    folded(words.installElsewhere, Object.entries(others).filter(([way]) => way !== mine).map(([way, name]) => h('section', {}, h('h4', {}, name), steps(said(words.installs[way]), INSTALL_PICTURES[way])))));
}
