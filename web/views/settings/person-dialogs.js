// Dialogs about one person, for administrators: becoming a guest, a link to sign in, the sessions.

import { get, patch, post, remove } from '../../api.js';
import { confirmDialog, openDialog } from '../../components/dialog.js';
import { choice, form } from '../../components/field.js';
import { toast } from '../../components/toast.js';
import { h } from '../../dom.js';
import { membersOf } from '../../members.js';
import { putUser } from '../../store.js';
import { texts } from '../../texts.js';
import { deviceIcon, deviceName } from './device-name.js';
import { linkParts } from './invitations.js';
import { actionButton, ago, dateAndTime, line, list, loaded, mark, nothing } from './parts.js';
import { sharedRooms } from './rooms-of.js';

/** Asks which rooms somebody keeps who becomes a guest. */
export function makeGuest(user) {
  const words = texts.admin.people;
  openDialog(words.guestTitle(user.name), (close) => loaded(() => roomsOf(user), (rooms) => {
    const kept = new Set();
    return h('div', { class: 'form' }, h('p', {}, words.guestLead), form([
      rooms.length ? h('fieldset', { class: 'choices' }, h('legend', {}, words.guestRooms), rooms.map((room) => choice('checkbox', 'room', room.name, {
        value: room.id, onchange: (event) => (event.target.checked ? kept.add(room.id) : kept.delete(room.id)),
      }, room.kind === 'open' ? texts.room.open : texts.room.closed))) : h('p', { class: 'field-hint' }, words.guestNoRooms),
    ], words.makeGuest, async () => {
      putUser(await patch(`/api/users/${user.id}`, { role: 'guest', room_ids: [...kept] }));
      toast(texts.common.saved);
      close();
    }));
  }).element, { kind: 'dialog-people' });
}

/** The rooms of somebody that I am in too. Everybody but guests is in the open ones. */
async function roomsOf(user) {
  const rooms = sharedRooms();
  const are = await Promise.all(rooms.map(async (room) => room.kind === 'open' || (await membersOf(room)).some(({ id }) => id === user.id)));
  return rooms.filter((room, place) => are[place]);
}

/** A link for somebody who lost the password. */
export async function signInLink(user) {
  const words = texts.admin.people;
  const made = await post(`/api/users/${user.id}/sign_in_link`);
  openDialog(words.linkTitle(user.name), () => h('div', { class: 'form' }, h('p', {}, words.linkLead),
    linkParts(made, words.linkExpires(dateAndTime(made.expires_at)), words.link, words.linkTitle(user.name))));
}

export function openSessions(user, changed = () => {}) {
  const words = texts.admin.signIns;
  openDialog(words.sessionsOf(user.name), () => {
    const path = `/api/users/${user.id}/sessions`;
    const { element, refresh } = loaded(() => get(path), ({ sessions }) => (sessions.length === 0 ? nothing('device', words.noSessions) : [
      list(words.sessionsOf(user.name), sessions.map((session) => one(session))),
      h('div', { class: 'row' }, h('button', { type: 'button', class: 'button is-danger', onclick: () => confirmDialog(words.confirmEndAll(user.name), words.endAll, async () => {
        await remove(path);
        toast(words.ended);
        after();
      }, { detail: words.confirmEndAllDetail }) }, words.endAll)),
    ]));
    const after = () => {
      refresh();
      changed();
    };
    const one = (session) => {
      const isToken = session.kind === 'token';
      const name = isToken ? session.name : deviceName(session.user_agent);
      return line({
        face: isToken ? 'key' : deviceIcon(session.user_agent), name, key: `session-${session.id}`, marks: isToken ? [mark(words.token)] : [],
        facts: [session.method ? words.methods[session.method] : null, [texts.settings.devices.lastUsed, ' ', ago(session.last_active_at), session.ip_address ? ` · ${session.ip_address}` : ''], words.since(dateAndTime(session.created_at))],
        actions: [actionButton(isToken ? texts.settings.tokens.revoke : words.end, async () => {
          await remove(`${path}/${session.id}`);
          toast(words.ended);
          after();
        }, { about: name })],
      });
    };
    return element;
  }, { wide: true });
}
