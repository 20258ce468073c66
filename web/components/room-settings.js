// The settings of a room, for those who may change them.

import { patch, post, remove } from '../api.js';
import { fill, h } from '../dom.js';
import { icon } from '../icons.js';
import { membersOf } from '../members.js';
import { go } from '../routes.js';
import { dropRoom, person, putRoom, state } from '../store.js';
import { texts } from '../texts.js';
import { agreed, confirmDialog, openDialog } from './dialog.js';
import { choice, field, form } from './field.js';
import { BELLS, INVOLVEMENTS, setInvolvement } from './involvement.js';
import { choosePeople, personLine } from './people.js';
import { toast } from './toast.js';

const mayChange = (room) => state.me.role === 'admin' || room.creator_id === state.me.id;

export function openRoomSettings(room) {
  const members = h('div', { class: 'room-part' });
  const now = () => state.rooms.get(room.id) || room;
  const draw = () => fill(members, now().kind === 'closed' ? membersPart(now()) : null);
  draw();
  openDialog(texts.room.settings, (close) => h('div', { class: 'room-settings' },
    h('p', { class: 'room-made' }, texts.room.madeBy(person(room.creator_id).name, new Date(room.created_at))),
    mayChange(room) ? roomForm(room, now, draw) : h('p', {}, room.kind === 'open' ? texts.room.openHint : texts.room.closedHint),
    members,
    involvementPart(room),
    endsPart(room, close)), { wide: true, kind: 'dialog-room' });
}

/** `now()` is the room as it is now; `draw()` shows what its kind allows. */
function roomForm(room, now, draw) {
  const kind = (value, label, hint) => choice('radio', 'kind', label, { value, '.checked': room.kind === value }, hint);
  return form([
    field('name', texts.room.name, { value: room.name, maxlength: 100, autocomplete: 'off', dir: 'auto', id: 'room-name' }),
    h('fieldset', { class: 'choices' }, h('legend', {}, texts.room.kind), kind('open', texts.room.open, texts.room.openHint), kind('closed', texts.room.closed, texts.room.closedHint)),
  ], texts.common.save, async ({ name, kind: chosen }) => {
    const opens = now().kind === 'closed' && chosen === 'open';
    if (opens && !await agreed(texts.room.openQuestion(now().name), texts.room.openIt, { detail: texts.room.openDetail, careful: true })) return false;
    putRoom(await patch(`/api/rooms/${room.id}`, { name, kind: chosen }));
    draw();
    return true;
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
    const inside = new Set(members.map((user) => user.id));
    const chosen = new Set(inside);
    fill(place, form([choosePeople(chosen)], texts.room.saveMembers, () => saveMembers(room, inside, chosen), { quiet: true, done: texts.common.saved }));
  }, (problem) => fill(place, h('p', { class: 'form-error' }, problem.message)));
  return part;
}

/** Only what was changed here is sent: somebody else may change the members at the same time. */
async function saveMembers(room, inside, chosen) {
  for (const id of chosen) {
    if (inside.has(id)) continue;
    await post(`/api/rooms/${room.id}/members/${id}`);
    inside.add(id);
  }
  for (const id of [...inside]) {
    if (chosen.has(id)) continue;
    await remove(`/api/rooms/${room.id}/members/${id}`);
    inside.delete(id);
  }
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
    await remove(`/api/rooms/${room.id}/members/me`);
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
