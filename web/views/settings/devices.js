// My devices, and signing in on another one.

import { get, post, remove } from '../../api.js';
import { confirmDialog } from '../../components/dialog.js';
import { toast } from '../../components/toast.js';
import { fill, h, sanitised } from '../../dom.js';
import { icon } from '../../icons.js';
import { texts } from '../../texts.js';
import { deviceIcon, deviceName } from './device-name.js';
import { actionButton, ago, block, copyLine, dateAndTime, line, list, loaded, mark, page, shareButton } from './parts.js';
import { secondFactor } from './second-factor.js';

export function devices() {
  const words = texts.settings.devices;
  const { element, refresh } = loaded(() => get('/api/sessions'), ({ sessions }) => drawn(sessions, () => refresh()));
  return page('devices', words.lead, element, secondFactor(), block(words.transfer, words.transferLead, transfer()));
}

function drawn(sessions, refresh) {
  const words = texts.settings.devices;
  const others = sessions.filter((session) => !session.current);
  // This device first, then those used last.
  const sorted = [...sessions].sort((a, b) => b.current - a.current || b.last_active_at.localeCompare(a.last_active_at));
  return [
    list(texts.settings.names.devices, sorted.map((session) => device(session, refresh))),
    others.length ? h('div', { class: 'row' }, h('button', { type: 'button', class: 'button is-danger', onclick: () => confirmDialog(words.confirmOthers(others.length), words.signOutOthers, async () => {
      await remove('/api/sessions');
      toast(words.othersSignedOut);
      refresh();
    }, { detail: words.confirmOthersDetail }) }, words.signOutOthers)) : null,
  ];
}

function device(session, refresh) {
  const words = texts.settings.devices;
  const name = deviceName(session.user_agent);
  return line({
    face: deviceIcon(session.user_agent), name, key: `session-${session.id}`,
    marks: session.current ? [mark(words.thisOne, 'is-good')] : [],
    facts: [[words.lastUsed, ' ', ago(session.last_active_at), session.ip_address ? ` · ${session.ip_address}` : ''], words.since(dateAndTime(session.created_at))],
    actions: session.current ? [] : [actionButton(words.signOut, async () => {
      await remove(`/api/sessions/${session.id}`);
      toast(words.signedOut(name));
      refresh();
    }, { about: name })],
  });
}

function transfer() {
  const words = texts.settings.devices;
  const place = h('div', { class: 'settings-transfer', 'aria-live': 'polite' });
  const offer = () => fill(place, actionButton(words.makeCode, async () => {
    const made = await post('/api/session/transfer');
    fill(place, h('div', { class: 'settings-qr' }, h('div', { class: 'qr', role: 'img', 'aria-label': words.qr }, sanitised(made.qr_svg)),
      h('div', { class: 'settings-qr-text' }, h('ol', {}, words.steps.map((step) => h('li', {}, step))), h('p', { class: 'field-hint' }, icon('warning'), words.expires(dateAndTime(made.expires_at))))),
    copyLine(words.link, made.url), h('div', { class: 'row' }, shareButton(words.transfer, made.url), h('button', { type: 'button', class: 'button button-small', onclick: offer }, words.hideCode)));
  }, { kind: '', picture: 'phone' }));
  offer();
  return place;
}
