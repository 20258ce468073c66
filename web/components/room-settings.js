// The settings of a room, for those who may change them.

import { patch, post, remove } from '../api.js';
import { fill, h } from '../dom.js';
import { isolated } from '../format.js';
import { icon } from '../icons.js';
import { membersOf, onlyPosts } from '../members.js';
import { mayChangeRoom, mayLeave } from '../rights.js';
import { go } from '../routes.js';
import { dropRoom, person, putRoom, state } from '../store.js';
import { texts } from '../texts.js';
import { agreed, confirmDialog, openDialog } from './dialog.js';
import { choice, field, form } from './field.js';
import { BELLS, INVOLVEMENTS, setInvolvement } from './involvement.js';
import { choosePeople, personLine } from './people.js';
import { toast } from './toast.js';

export function openRoomSettings(room) {
  openDialog(texts.room.settings, (close) => h('div', { class: 'room-settings' },
    h('p', { class: 'room-made' }, texts.room.madeBy(isolated(person(room.creator_id).name), new Date(room.created_at))),
    mayChangeRoom(room) ? roomForm(room, close) : [h('p', {}, room.kind === 'open' ? texts.room.openHint : texts.room.closedHint), room.kind === 'closed' ? membersPart(room, null) : null],
    involvementPart(room),
    endsPart(room, close)), { wide: true, kind: 'dialog-room' });
}

/** One form: name, kind and people are saved together, and the dialog closes. */
function roomForm(room, close) {
  const now = () => state.rooms.get(room.id) || room;
  const people = { inside: null, chosen: new Set() };
  const place = h('div', { class: 'room-part', hidden: true });
  // Everybody is in an open room but guests, who are chosen there too.
  const hasGuests = [...state.users.values()].some((user) => user.role === 'guest' && user.status === 'active');
  const drawPeople = (kind) => {
    const isChosen = kind === 'closed' || (hasGuests && room.kind === 'open');
    place.hidden = !isChosen;
    if (isChosen && place.dataset.kind !== kind) fill(place, membersPart(room, people, kind));
    place.dataset.kind = kind;
  };
  const kind = (value, label, hint) => choice('radio', 'kind', label, { value, '.checked': room.kind === value, onchange: () => drawPeople(value) }, hint);
  drawPeople(room.kind);
  return form([
    field('name', texts.room.name, { value: room.name, maxlength: 100, autocomplete: 'off', dir: 'auto', id: 'room-name' }),
    h('fieldset', { class: 'choices' }, h('legend', {}, texts.room.kind), kind('open', texts.room.open, texts.room.openHint), kind('closed', texts.room.closed, texts.room.closedHint)),
    place,
  ], texts.common.save, async ({ name, kind: chosen }) => {
    const opens = now().kind === 'closed' && chosen === 'open';
    if (opens && !await agreed(texts.room.openQuestion(now().name), texts.room.openIt, { detail: texts.room.openDetail, careful: true })) return;
    putRoom(await patch(`/api/rooms/${room.id}`, { name, kind: chosen }));
    if ((chosen === 'closed' || room.kind === 'open') && people.inside) await saveMembers(room, people);
    close();
    toast(texts.common.saved);
  });
}

function involvementPart(room) {
  return h('fieldset', { class: 'choices' }, h('legend', {}, texts.room.notifications), INVOLVEMENTS.map((involvement) => h('label', { class: 'choice' },
    h('input', { type: 'radio', name: 'involvement', value: involvement, '.checked': room.membership.involvement === involvement, onchange: () => setInvolvement(room, involvement) }),
    h('span', { class: 'choice-words' }, texts.room.involvement[involvement]), icon(BELLS[involvement]))));
}

/** Checkboxes for those who may change the members, who are put into `people`; a list for others. Of an open room, the guests. */
function membersPart(room, people, kind = 'closed') {
  const place = h('div', { class: 'room-members' });
  const title = kind === 'open' ? texts.room.guests : texts.room.people;
  const among = (user) => kind === 'closed' || user.role === 'guest';
  const part = h('section', { class: 'room-part', 'aria-label': title }, h('h3', {}, title), place);
  membersOf(room).then((members) => {
    if (!people) return void fill(place, h('ul', { class: 'people' }, members.filter((user) => !onlyPosts(user)).map((user) => h('li', { class: 'person' }, personLine(user)))));
    people.inside = new Set(members.filter(among).map((user) => user.id));
    people.chosen = new Set(people.inside);
    fill(place, choosePeople(people.chosen, { among }));
  }, (problem) => fill(place, h('p', { class: 'form-error' }, problem.message)));
  return part;
}

/** Only what was changed here is sent: somebody else may change the members at the same time. */
async function saveMembers(room, { inside, chosen }) {
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
  const may = [mayLeave(room) && end('signOut', texts.room.leave, leaveRoom), mayChangeRoom(room) && end('trash', texts.room.remove, removeRoom, 'is-danger')].filter(Boolean);
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
