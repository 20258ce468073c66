// Incoming webhooks: other services post to them, each into one room.

import { get, patch, post, remove } from '../../api.js';
import { confirmDialog } from '../../components/dialog.js';
import { field, form } from '../../components/field.js';
import { toast } from '../../components/toast.js';
import { fill, h } from '../../dom.js';
import { state } from '../../store.js';
import { texts } from '../../texts.js';
import { ago, block, copyLine, line, list, loaded, nothing, page, picker, secret } from './parts.js';
import { sharedRooms } from './rooms-of.js';

export function hooks() {
  const words = texts.admin.hooks;
  const shown = h('div', {});
  const { element, refresh } = loaded(() => get('/api/hooks'), ({ hooks: all }) => (all.length ? list(texts.settings.names.hooks, all.map((hook) => one(hook, () => refresh()))) : nothing('hook', words.none)), { lines: 1 });
  const maker = form([
    field('name', words.name, { maxlength: 100, autocomplete: 'off', placeholder: words.nameExample }, words.nameHint),
    picker('room_id', words.room, sharedRooms().map((room) => [room.id, room.name])),
    picker('format', words.format, Object.entries(words.formats), { hint: words.formatHint }),
  ], words.create, async ({ name, room_id: room, format }) => {
    const made = await post('/api/hooks', { name, room_id: Number(room), format });
    maker.reset();
    fill(shown, secret(words.made(made.name), copyLine(words.address, made.url),
      copyLine(words.tryIt, `curl -H 'Content-Type: application/json' -d '${JSON.stringify({ text: words.hello })}' ${made.url}`)));
    refresh();
  });
  return page('hooks', words.lead, block(words.new, '', maker, shown), block(words.yours, '', element));
}

function one(hook, refresh) {
  const words = texts.admin.hooks;
  const room = state.rooms.get(hook.room_id);
  return line({
    face: 'hook', name: hook.name, key: `hook-${hook.id}`,
    facts: [[words.into, ' ', room ? h('a', { class: 'link', href: `/rooms/${room.id}` }, room.name) : words.elsewhere, hook.created_at ? [' · ', ago(hook.created_at)] : []].flat()],
    actions: [picker('format', words.formatOf(hook.name), Object.entries(words.formats), { value: hook.format, hidden: true, onchange: async (format) => {
      await patch(`/api/hooks/${hook.id}`, { format });
      toast(words.formatSaved);
    } }), h('button', { type: 'button', class: 'button button-small is-danger', 'aria-label': `${texts.common.remove}: ${hook.name}`, onclick: () => confirmDialog(words.confirm(hook.name), texts.common.remove, async () => {
      await remove(`/api/hooks/${hook.id}`);
      toast(words.removed(hook.name));
      refresh();
    }, { detail: words.confirmDetail }) }, texts.common.remove)],
  });
}
