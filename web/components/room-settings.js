// The settings of a room, for those who may change them.

import { patch, put, remove } from '../api.js';
import { fill, h } from '../dom.js';
import { icon } from '../icons.js';
import { membersOf } from '../members.js';
import { go } from '../routes.js';
import { dropRoom, person, putRoom, state } from '../store.js';
import { texts } from '../texts.js';
import { confirmDialog, openDialog } from './dialog.js';
import { choice, field, form } from './field.js';
import { BELLS, INVOLVEMENTS, setInvolvement } from './involvement.js';
import { choosePeople, personLine } from './people.js';
import { toast } from './toast.js';

const mayChange = (room) => state.me.role === 'admin' || room.creator_id === state.me.id;

export function openRoomSettings(room) {
  openDialog(texts.room.settings, (close) => h('div', { class: 'room-settings' },
    h('p', { class: 'room-made' }, texts.room.madeBy(person(room.creator_id).name, new Date(room.created_at))),
    mayChange(room) ? roomForm(room) : h('p', {}, room.kind === 'open' ? texts.room.openHint : texts.room.closedHint),
    room.kind === 'closed' ? membersPart(room) : null,
    involvementPart(room),
    endsPart(room, close)), { wide: true, kind: 'dialog-room' });
}

function roomForm(room) {
  const kind = (value, label, hint) => choice('radio', 'kind', label, { value, '.checked': room.kind === value }, hint);
  return form([
    field('name', texts.room.name, { value: room.name, maxlength: 100, autocomplete: 'off', dir: 'auto', id: 'room-name' }),
    h('fieldset', { class: 'choices' }, h('legend', {}, texts.room.kind), kind('open', texts.room.open, texts.room.openHint), kind('closed', texts.room.closed, texts.room.closedHint)),
  ], texts.common.save, async ({ name, kind: chosen }) => {
    putRoom(await patch(`/api/rooms/${room.id}`, { name, kind: chosen }));
  }, { done: texts.common.saved });
}

function involvementPart(room) {
  return h('fieldset', { class: 'choices' }, h('legend', {}, texts.room.notifications), INVOLVEMENTS.map((involvement) => h('label', { class: 'choice' },
    h('input', { type: 'radio', name: 'involvement', value: involvement, '.checked': room.membership.involvement === involvement, onchange: () => setInvolvement(room, involvement) }),
    h('span', { class: 'choice-words' }, texts.room.involvement[involvement]), icon(BELLS[involvement]))));
}

/** Checkboxes for those who may change the members; a list for others. */
function membersPart(room) {
  const place = h('div', { class: 'room-members' });
  const part = h('section', { class: 'room-part', 'aria-label': texts.room.people }, h('h3', {}, texts.room.people), place);
  membersOf(room).then((members) => {
    if (!mayChange(room)) return void fill(place, h('ul', { class: 'people' }, members.map((user) => h('li', { class: 'person' }, personLine(user)))));
    const chosen = new Set(members.map((user) => user.id));
    fill(place, form([choosePeople(chosen)], texts.room.saveMembers, async () => {
      await put(`/api/rooms/${room.id}/members`, { user_ids: [...chosen] });
    }, { quiet: true, done: texts.common.saved }));
  }, (problem) => fill(place, h('p', { class: 'form-error' }, problem.message)));
  return part;
}

function endsPart(room, close) {
  const end = (name, label, act, kind = '') => h('button', { type: 'button', class: `button ${kind}`, onclick: () => {
    close();
    act(room);
  } }, icon(name), label);
  const may = [room.kind === 'closed' && end('signOut', texts.room.leave, leaveRoom), mayChange(room) && end('trash', texts.room.remove, removeRoom, 'is-danger')].filter(Boolean);
  return may.length ? h('div', { class: 'row room-ends' }, may) : null;
}

export function leaveRoom(room) {
  confirmDialog(texts.room.leaveQuestion(room.name), texts.room.leave, async () => {
    const members = await membersOf(room);
    await put(`/api/rooms/${room.id}/members`, { user_ids: members.map((user) => user.id).filter((id) => id !== state.me.id) });
    gone(room, texts.room.left(room.name));
  }, { detail: texts.room.leaveDetail });
}

export function removeRoom(room) {
  const isDirect = room.kind === 'direct';
  confirmDialog(isDirect ? texts.room.removeDirectQuestion : texts.room.removeQuestion(room.name), texts.common.remove, async () => {
    await remove(`/api/rooms/${room.id}`);
    gone(room, texts.room.removed);
  }, { detail: isDirect ? texts.room.removeDirectDetail : texts.room.removeDetail });
}

function gone(room, words) {
  dropRoom(room.id);
  go('/', { replace: true });
  toast(words);
}
