// Bots: name, picture, key, and a webhook that is called for mentions.

import { get, patch, post, put, remove } from '../../api.js';
import { avatar } from '../../components/avatar.js';
import { confirmDialog, openDialog } from '../../components/dialog.js';
import { field, form } from '../../components/field.js';
import { openMenu } from '../../components/menu.js';
import { toast } from '../../components/toast.js';
import { fill, h, iconButton } from '../../dom.js';
import { lazy } from '../../lazy.js';
import { person, putUser } from '../../store.js';
import { texts } from '../../texts.js';
import { block, copyLine, line, list, loaded, nothing, page, picker, secret } from './parts.js';
import { pictureField } from './picture-field.js';
import { sharedRooms } from './rooms-of.js';

export function bots() {
  const words = texts.admin.bots;
  const shown = h('div', {});
  const acts = { refresh: () => refresh(), reveal: (bot) => fill(shown, key(bot)) };
  const { element, refresh } = loaded(() => get('/api/bots'), ({ bots: all }) => (all.length ? list(texts.settings.names.bots, all.map((bot) => one(bot, acts))) : nothing('bot', words.none)), { lines: 1 });
  const maker = form([
    field('name', words.name, { maxlength: 100, autocomplete: 'off', placeholder: words.nameExample }),
    field('webhook_url', words.webhook, { type: 'url', autocomplete: 'off', inputmode: 'url', placeholder: 'https://' }, words.webhookHint),
  ], words.create, async ({ name, webhook_url: url }) => {
    const made = await post('/api/bots', { name, webhook_url: url.trim() || null });
    maker.reset();
    acts.reveal(made);
    acts.refresh();
  });
  return page('bots', words.lead, block(words.new, '', maker), shown, block(words.yours, '', element), block(words.where, '', h('ul', { class: 'settings-notes' }, words.whereLines.map((said) => h('li', {}, said)))));
}

/** The key, with a command that posts a message to a room. */
function key(bot) {
  const words = texts.admin.bots;
  const rooms = sharedRooms();
  const command = (room) => `curl -d '${words.hello}' ${location.origin}/rooms/${room}/${bot.key}/messages`;
  const place = h('div', {});
  const show = (room) => fill(place, copyLine(words.tryIt, command(room)));
  show(rooms[0]?.id ?? 'ID');
  return secret(words.keyOf(bot.name), copyLine(words.key, bot.key),
    rooms.length ? picker('room', words.room, rooms.map((room) => [room.id, room.name]), { value: rooms[0].id, onchange: show }) : null, place);
}

function one(bot, { refresh, reveal }) {
  const words = texts.admin.bots;
  const user = { ...person(bot.id), ...bot, role: 'bot' };
  return line({
    face: avatar(user, { size: 'medium' }), name: bot.name, key: `bot-${bot.id}`,
    facts: [bot.webhook_url ? [words.calls, ' ', h('span', { class: 'settings-email' }, bot.webhook_url)] : words.callsNothing],
    actions: [iconButton('more', words.actions(bot.name), (event) => openMenu(event.currentTarget, [
      { label: words.edit, icon: 'edit', onclick: () => edit(bot, user, refresh) },
      { label: words.renew, icon: 'key', onclick: () => confirmDialog(words.confirmRenew(bot.name), words.renew, async () => reveal(await post(`/api/bots/${bot.id}/key`)), { detail: words.confirmRenewDetail }) },
      { label: words.remove, icon: 'trash', danger: true, onclick: () => confirmDialog(words.confirmRemove(bot.name), words.remove, async () => {
        await remove(`/api/bots/${bot.id}`);
        toast(words.removed(bot.name));
        refresh();
      }, { detail: words.confirmRemoveDetail }) },
    ]), { 'aria-haspopup': 'menu' })],
  });
}

function edit(bot, user, refresh) {
  const words = texts.admin.bots;
  openDialog(words.editTitle(bot.name), (close) => {
    const picture = h('span', {});
    const draw = (url) => fill(picture, avatar({ ...user, avatar_url: url }, { size: 'large' }));
    draw(bot.avatar_url);
    return h('div', { class: 'form' }, pictureField({ picture, label: texts.settings.profile.changePicture, take: async (file) => {
      const { cropPicture } = await lazy(() => import('../../components/crop.js'));
      await cropPicture(file, { title: words.crop, square: true, submit: async (blob) => {
        const changed = await put(`/api/users/${bot.id}/avatar`, blob);
        putUser(changed);
        draw(changed.avatar_url);
        refresh();
      } });
    } }), form([
      field('name', words.name, { id: 'bot-name', '.value': bot.name, maxlength: 100, autocomplete: 'off' }),
      field('webhook_url', words.webhook, { id: 'bot-webhook', type: 'url', '.value': bot.webhook_url || '', autocomplete: 'off', inputmode: 'url', placeholder: 'https://' }, words.webhookHint),
    ], texts.common.save, async ({ name, webhook_url: url }) => {
      await patch(`/api/bots/${bot.id}`, { name, webhook_url: url.trim() || null });
      toast(texts.common.saved);
      close();
      refresh();
    }));
  });
}
