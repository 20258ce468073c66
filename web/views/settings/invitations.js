// Invitations: links that end, for members or for guests of some rooms.

import { get, post, remove } from '../../api.js';
import { confirmDialog, openDialog } from '../../components/dialog.js';
import { choice, field, form } from '../../components/field.js';
import { onlyHere } from '../../components/room-welcome.js';
import { toast } from '../../components/toast.js';
import { fill, h, sanitised } from '../../dom.js';
import { icon } from '../../icons.js';
import { isAdmin } from '../../rights.js';
import { person, roomName, state } from '../../store.js';
import { texts } from '../../texts.js';
import { actionButton, ago, block, copyLine, dateAndTime, line, list, loaded, mark, nothing, number, shareButton } from './parts.js';
import { sharedRooms } from './rooms-of.js';

export function invitations() {
  const words = texts.admin.invitations;
  const { element, refresh } = loaded(() => get('/api/invitations'), ({ invitations: all }) => (all.length
    ? list(words.title, all.map((one) => drawn(one, () => refresh()))) : nothing('link', words.none)));
  return block(words.title, words.lead, h('div', { class: 'row' }, h('button', { type: 'button', class: 'button', onclick: () => create(() => refresh()) }, icon('plus'), words.new)), element);
}

/** The rooms that this viewer may invite to: see the server's rule. */
const invitable = () => sharedRooms().filter((room) => isAdmin() || room.kind === 'open' || room.creator_id === state.me.id);

function drawn(one, refresh) {
  const words = texts.admin.invitations;
  const whom = one.user_id ? words.forPerson(person(one.user_id).name) : one.role === 'guest' ? words.forGuests : words.forMembers;
  const rooms = one.room_ids.map((id) => (state.rooms.has(id) ? roomName(state.rooms.get(id)) : words.otherRoom));
  return line({
    face: 'link', name: one.note || whom, key: `invitation-${one.id}`,
    marks: [one.is_open ? mark(words.works, 'is-good') : mark(ended(one))],
    facts: [one.note ? whom : null, rooms.length ? words.rooms(rooms) : null,
      [words.used(number(one.uses), number(one.max_uses)), one.is_open ? [' · ', words.until(dateAndTime(one.expires_at))] : null],
      [one.creator_id ? words.by(person(one.creator_id).name) : words.host, ' · ', ago(one.created_at)]],
    actions: one.is_open ? [actionButton(words.revoke, () => confirmDialog(words.confirmRevoke, words.revoke, async () => {
      await remove(`/api/invitations/${one.id}`);
      toast(words.revoked);
      refresh();
    }, { detail: words.confirmRevokeDetail }), { about: one.note || whom })] : [],
  });
}

function ended(one) {
  const words = texts.admin.invitations;
  if (one.revoked_at) return words.wasRevoked;
  return one.uses >= one.max_uses ? words.isUsed : words.isOver;
}

function create(done) {
  const words = texts.admin.invitations;
  openDialog(words.new, (close) => {
    const place = h('div', {});
    const rooms = h('div', {});
    const chosen = new Set();
    const drawRooms = (role) => {
      // A member is in every open room anyway.
      const offered = invitable().filter((room) => role === 'guest' || room.kind === 'closed');
      chosen.clear();
      fill(rooms, offered.length === 0 ? (role === 'guest' ? h('p', { class: 'field-hint' }, words.noRooms) : null)
        : h('fieldset', { class: 'choices' }, h('legend', {}, role === 'guest' ? words.guestRooms : words.memberRooms), offered.map((room) => choice('checkbox', 'room', room.name, {
          value: room.id, onchange: (event) => (event.target.checked ? chosen.add(room.id) : chosen.delete(room.id)),
        }, room.kind === 'open' ? texts.room.open : texts.room.closed))));
    };
    const role = (value, label, hint) => choice('radio', 'role', label, { value, '.checked': value === 'member', onchange: () => drawRooms(value) }, hint);
    drawRooms('member');
    fill(place, form([
      h('fieldset', { class: 'choices' }, h('legend', {}, words.whom), role('member', words.asMember, words.asMemberHint), role('guest', words.asGuest, words.asGuestHint)),
      rooms,
      field('max_uses', words.uses, { type: 'number', min: 1, max: 1000, step: 1, inputmode: 'numeric', '.value': 1 }, words.usesHint),
      field('days', words.days, { type: 'number', min: 1, max: 90, step: 1, inputmode: 'numeric', '.value': 7 }, words.daysHint),
      state.limits.sends_mail ? field('email', words.email, { type: 'email', maxlength: 254, autocomplete: 'off', spellcheck: 'false' }, words.emailHint) : null,
      field('note', words.note, { maxlength: 200, autocomplete: 'off', dir: 'auto' }, words.noteHint),
    ], words.make, async (values) => {
      if (values.role === 'guest' && chosen.size === 0) throw new Error(words.chooseRoom);
      const made = await post('/api/invitations', {
        role: values.role, room_ids: [...chosen], note: values.note, max_uses: Number(values.max_uses), days: Number(values.days),
        ...(values.email ? { email: values.email } : {}),
      });
      if (values.email) toast(words.mailed(values.email));
      fill(place, linkParts(made, words.shown(number(made.max_uses), dateAndTime(made.expires_at)), words.link, texts.admin.invite.shareTitle(state.account.name)),
        h('div', { class: 'row row-end' }, h('button', { type: 'button', class: 'button button-primary', autofocus: true, onclick: close }, texts.settings.kept)));
      place.querySelector('.copyable').focus();
      done();
    }));
    return place;
  }, { kind: 'dialog-people' });
}

/** A link that is shown once: its code, what to know of it, the link to copy and to share. */
export function linkParts(made, hint, label, title, action = null) {
  return h('div', { class: 'form' },
    h('div', { class: 'settings-qr' }, h('div', { class: 'qr', role: 'img', 'aria-label': texts.admin.invitations.qr }, sanitised(made.qr_svg)),
      h('div', { class: 'settings-qr-text' }, h('p', { class: 'field-hint' }, icon('warning'), hint))),
    copyLine(label, made.url), onlyHere(made.url) ? h('p', { class: 'field-hint' }, texts.room.onlyHere) : null, h('div', { class: 'row' }, shareButton(title, made.url), action));
}
