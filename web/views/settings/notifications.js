// Notifications, on this device and on my others.

import { get, post, put, remove } from '../../api.js';
import { toggle } from '../../components/field.js';
import { BELLS } from '../../components/involvement.js';
import { setSounds, soundsOn } from '../../components/sounds.js';
import { toast } from '../../components/toast.js';
import { fill, h } from '../../dom.js';
import { compareNames } from '../../format.js';
import { icon } from '../../icons.js';
import { lazy } from '../../lazy.js';
import { disablePush, enablePush, pushState, thisDevice } from '../../push.js';
import { noteInvolvement, roomName, state } from '../../store.js';
import { texts } from '../../texts.js';
import { deviceIcon, deviceName } from './device-name.js';
import { mails } from './mail.js';
import { actionButton, ago, block, line, list, loaded, mark, nothing, page, picker } from './parts.js';

export function notifications() {
  const words = texts.settings.notifications;
  const subscribed = loaded(async () => {
    const { subscriptions } = await get('/api/push/subscriptions');
    const here = await thisDevice().catch(() => null);
    return { subscriptions, here };
  }, ({ subscriptions, here }) => (subscriptions.length ? list(words.devices, subscriptions.map((device) => one(device, device.id === here?.id, refresh))) : nothing('bell', words.noDevices)), { lines: 1 });
  const push = loaded(pushState, (found) => pushing(found, refresh), { lines: 1 });
  const refresh = () => {
    push.refresh();
    subscribed.refresh();
  };
  return page('notifications', words.lead,
    block(words.here, '', push.element), block(words.devices, words.devicesLead, subscribed.element), mails(),
    block(words.sounds, '', toggle(words.soundsOn, soundsOn(), setSounds, words.soundsHint)),
    block(words.bell, words.bellLead, bells()), block(words.rooms, words.roomsLead, rooms()));
}

/** Why push is off, or how to turn it on. */
function pushing(found, refresh) {
  const words = texts.settings.notifications;
  const said = found === 'unsupported' ? (isSecureContext ? 'unsupported' : 'needsTls') : found;
  const act = (label, run, kind) => actionButton(label, async () => {
    await run();
    refresh();
  }, { kind, picture: 'bell' });
  return h('div', { class: `settings-push is-${said}` }, h('p', {}, icon(said === 'on' ? 'bellAll' : said === 'off' ? 'bell' : 'bellOff'), h('span', {}, h('b', {}, words.states[said]), ' ', words.statesHow[said])),
    said === 'off' ? act(words.enable, enablePush, 'button-primary') : said === 'on' ? act(words.disable, disablePush, '') : null, help(said));
}

/** Steps by browser and system, which come a moment later. */
function help(said) {
  const place = h('div', {});
  const build = { denied: 'allowHelp', on: 'silenceHelp', unsupported: 'installHelp' }[said];
  if (build) {
    lazy(() => import('./help.js')).then(async (found) => {
      await found.ready();
      fill(place, found[build]());
    }, () => {});
  }
  return place;
}

function one(device, isHere, refresh) {
  const words = texts.settings.notifications;
  const name = deviceName(device.user_agent);
  return line({
    face: deviceIcon(device.user_agent), name, key: `subscription-${device.id}`, marks: isHere ? [mark(texts.settings.devices.thisOne, 'is-good')] : [],
    facts: [[words.since, ' ', ago(device.created_at)], refusal(device)],
    actions: [
      actionButton(words.test, async () => {
        await post(`/api/push/subscriptions/${device.id}/test`);
        toast(words.tested);
      }, { about: name }),
      actionButton(words.remove, async () => {
        if (isHere) await disablePush();
        else await remove(`/api/push/subscriptions/${device.id}`);
        toast(words.removed(name));
        refresh();
      }, { about: name })],
  });
}

/** The push services of the browsers, by their hosts. */
const SERVICES = [['apple', /\.push\.apple\.com$/], ['google', /\.googleapis\.com$/], ['mozilla', /\.mozilla\.com$/], ['microsoft', /\.windows\.com$/]];

/** What the push service said of the last notification, if it did not take it. */
function refusal({ endpoint, last_error: error }) {
  if (!error) return null;
  const words = texts.settings.notifications;
  const { hostname } = new URL(endpoint);
  const known = SERVICES.find(([, host]) => host.test(hostname))?.[0];
  return h('span', { class: 'settings-refused' }, icon('warning'), h('span', {}, words.refused(words.services[known] || hostname, error.status), error.detail ? `: ${error.detail}` : '', ', ', ago(error.at)));
}

function bells() {
  const words = texts.settings.notifications;
  return [h('dl', { class: 'settings-bells' }, Object.entries(BELLS).map(([key, name]) => h('div', {}, h('dt', {}, icon(name), words.bells[key]), h('dd', {}, words.bellsHow[key])))), h('p', { class: 'field-hint' }, words.defaults)];
}

/** My rooms with their involvement; hidden rooms can be shown again here. */
function rooms() {
  const words = texts.settings.notifications;
  const mine = [...state.rooms.values()].filter((room) => room.kind !== 'direct' || room.membership.involvement !== 'everything')
    .map((room) => ({ room, name: roomName(room) })).sort((a, b) => compareNames(a.name, b.name));
  if (!mine.length) return nothing('bell', words.noRooms);
  const options = Object.keys(BELLS).map((key) => [key, words.bells[key]]);
  return list(words.rooms, mine.map(({ room, name }) => {
    const place = h('span', { class: 'settings-line-face' });
    const show = (involvement) => fill(place, icon(BELLS[involvement]));
    const pick = picker('involvement', words.bellOf(name), options, { value: room.membership.involvement, hidden: true, onchange: async (involvement) => {
      const wrong = pick.querySelector('.field-error');
      wrong.textContent = '';
      try {
        await put(`/api/rooms/${room.id}/involvement`, { involvement });
        noteInvolvement(room.id, involvement);
        show(involvement);
        toast(words.roomSaved(name, words.bells[involvement]));
      } catch (problem) {
        wrong.textContent = problem.message;
        pick.querySelector('select').value = state.rooms.get(room.id).membership.involvement;
      }
    } });
    show(room.membership.involvement);
    return h('li', { class: 'settings-line settings-room-bell' }, place, h('div', { class: 'settings-line-text' }, h('div', { class: 'settings-line-name' }, h('span', { dir: 'auto' }, name))), pick);
  }));
}
