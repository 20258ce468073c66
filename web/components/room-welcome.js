// The beginning of a room's history, and empty rooms.

import { get } from '../api.js';
import { copyButton } from '../clipboard.js';
import { emptyElement, h, sanitised } from '../dom.js';
import { isolated } from '../format.js';
import { isNotes, others, person, state } from '../store.js';
import { texts } from '../texts.js';
import { titleOf } from './room-head.js';

const isAlone = () => [...state.users.values()].filter((user) => user.status === 'active' && user.role !== 'bot').length === 1;

/** What an empty room shows. `write` focuses the composer. */
export function emptyRoom(room, write) {
  const begin = h('button', { type: 'button', class: 'button', onclick: write }, texts.room.firstWord);
  if (room.kind === 'direct') return emptyDirect(room);
  if (isAlone() && state.account?.join_code) return welcome(begin);
  return emptyElement(texts.room.empty, texts.room.emptyHint(isolated(room.name)), begin);
}

function emptyDirect(room) {
  if (isNotes(room)) return emptyElement(texts.room.notesEmpty, texts.room.notesEmptyHint);
  const names = others(room).map((user) => user.name);
  return emptyElement(texts.room.directEmpty(texts.message.listed(names.map(isolated))), texts.room.directEmptyHint);
}

/** Whether no other device can open this address. */
export const onlyHere = (link) => /^(localhost|127\.|\[::1\])/.test(new URL(link).hostname);

/** After the first run: an invitation to share. */
function welcome(begin) {
  let link = `${location.origin}/join/${state.account.join_code}`;
  const shown = h('p', { class: 'copyable' }, link);
  const note = h('p', { class: 'field-hint', hidden: !onlyHere(link) }, texts.room.onlyHere);
  const code = h('div', { class: 'welcome-qr', hidden: true });
  get('/api/account').then(({ qr_svg: svg, join_url: url }) => {
    // The server's public address may be another than the one open here.
    link = url || link;
    shown.textContent = link;
    note.hidden = !onlyHere(link);
    if (!svg) return;
    code.append(sanitised(svg));
    code.querySelector('svg')?.setAttribute('role', 'img');
    code.querySelector('svg')?.setAttribute('aria-label', texts.room.qr);
    code.hidden = false;
  }, () => {});
  const copy = copyButton(() => link, texts.room.copyInvitation);
  copy.classList.replace('button-small', 'button-primary');
  const element = emptyElement(texts.room.welcome(state.account.name), texts.room.welcomeHint,
    shown, note, h('div', { class: 'row' }, copy, begin), code);
  element.classList.add('welcome');
  return element;
}

/** The line at the beginning of a room's history. */
export function roomStart(room) {
  if (room.kind === 'direct') return h('p', {}, isNotes(room) ? texts.room.notesStart : texts.room.directStart(texts.message.listed(others(room).map((user) => isolated(user.name)))));
  return [h('h2', { translate: 'no' }, h('bdi', {}, titleOf(room))), h('p', {}, texts.room.start(isolated(person(room.creator_id).name), new Date(room.created_at)))];
}
