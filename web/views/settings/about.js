// About: version, shortcuts, installing, API reference, export.

import { get } from '../../api.js';
import { fill, h } from '../../dom.js';
import { icon } from '../../icons.js';
import { lazy } from '../../lazy.js';
import { state, watch } from '../../store.js';
import { texts } from '../../texts.js';
import { canInstall, install, isInstalled } from '../../worker.js';
import { block, loaded, page } from './parts.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function about(signal) {
  const words = texts.settings.about;
  const { element } = loaded(() => get('/health'), ({ version, uptime_s: uptime }) => h('dl', { class: 'settings-facts' },
    h('dt', {}, words.version), h('dd', {}, `Campfire ${version}`),
    h('dt', {}, words.uptime), h('dd', {}, lasting(uptime)),
    h('dt', {}, words.team), h('dd', { dir: 'auto' }, state.account?.name || 'Campfire'),
    h('dt', {}, words.licence), h('dd', {}, words.licenceText)), { lines: 1 });
  return page('about', words.lead, element,
    block(words.keys, words.keysLead, h('div', { class: 'row' }, h('button', { type: 'button', class: 'button', onclick: showKeyboard }, icon('keyboard'), words.showKeys))),
    installing(signal),
    block(words.developers, words.developersLead, h('div', { class: 'row' }, h('a', { class: 'button', href: '/api/openapi.json', target: '_blank' }, icon('code'), words.reference))),
    state.me.role === 'admin' ? exporting() : null);
}

function lasting(seconds) {
  const words = texts.settings.about;
  if (seconds >= DAY) return words.days(Math.floor(seconds / DAY));
  if (seconds >= HOUR) return words.hours(Math.floor(seconds / HOUR));
  return words.minutes(Math.max(1, Math.floor(seconds / MINUTE)));
}

async function showKeyboard() {
  (await lazy(() => import('../../components/keys.js'))).showKeys();
}

/** Installing as an app: a button where the browser allows it, otherwise instructions. */
function installing(signal) {
  const words = texts.settings.about;
  const place = h('div', {});
  const steps = h('div', {}, h('p', {}, words.installByHand));
  const draw = () => fill(place, isInstalled() ? h('p', {}, words.isInstalled) : canInstall()
    ? h('div', { class: 'row' }, h('button', { type: 'button', class: 'button', onclick: install }, icon('download'), words.installButton))
    : isSecureContext ? steps : h('p', {}, words.installNeedsTls));
  if (isSecureContext && !isInstalled()) {
    lazy(() => import('./help.js')).then(async (found) => {
      await found.ready();
      fill(steps, found.installHelp());
    }, () => {});
  }
  draw();
  signal.addEventListener('abort', watch(['install'], draw));
  return block(words.install, words.installLead, place);
}

/** The export of all data, for administrators: the same as `campfire export`. */
export function exporting() {
  const words = texts.settings.about;
  return block(words.export, words.exportLead, h('div', { class: 'row' }, h('a', { class: 'button', href: '/api/export', download: 'campfire.ndjson', target: '_self' }, icon('download'), words.exportButton)));
}
