// Emoji of the team's own.

import { get, put, remove } from '../../api.js';
import { confirmDialog } from '../../components/dialog.js';
import { field, form } from '../../components/field.js';
import { toast } from '../../components/toast.js';
import { emojiPicture } from '../../custom-emoji.js';
import { fill, h } from '../../dom.js';
import { texts } from '../../texts.js';
import { actionButton, block, line, list, loaded, nothing, number, page } from './parts.js';

/** The list stays fast with thousands. */
const DRAWN = 100;

export function emoji() {
  const words = texts.admin.emoji;
  const { element, refresh } = loaded(() => get('/api/emoji'), ({ emoji: all }) => drawn(all, () => refresh()));
  return page('emoji', words.lead, block(words.new, '', adder(() => refresh())), block(words.yours, '', element));
}

function adder(refresh) {
  const words = texts.admin.emoji;
  const element = form([
    field('name', words.name, { id: 'emoji-name', maxlength: 66, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' }, words.nameHint),
    field('picture', words.picture, { id: 'emoji-picture', type: 'file', accept: 'image/png, image/gif, image/jpeg, image/webp' }, words.pictureHint),
  ], words.add, async ({ name, picture }) => {
    // As it is typed in messages, or without colons.
    const wanted = name.trim().replace(/^:|:$/g, '').toLowerCase();
    const missing = { ...(wanted ? {} : { name: ['is missing'] }), ...(picture?.size ? {} : { picture: ['is missing'] }) };
    if (Object.keys(missing).length) throw Object.assign(new Error(), { fields: missing });
    await put(`/api/emoji/${encodeURIComponent(wanted)}`, picture);
    element.reset();
    toast(words.added(`:${wanted}:`));
    refresh();
  });
  return element;
}

function drawn(all, refresh) {
  const words = texts.admin.emoji;
  if (!all.length) return nothing('smile', words.none);
  const found = h('div', {});
  const status = h('p', { class: 'settings-count', role: 'status' });
  const draw = (wanted) => {
    const fitting = all.filter(({ name }) => name.includes(wanted));
    const more = fitting.length - DRAWN;
    fill(found, fitting.length ? list(texts.settings.names.emoji, fitting.slice(0, DRAWN).map((one) => entry(one, refresh))) : nothing('smile', words.noneFound));
    status.textContent = more > 0 ? texts.admin.people.more(number(more)) : words.count(number(fitting.length));
  };
  draw('');
  const input = h('input', { type: 'search', class: 'filter', placeholder: words.find, 'aria-label': words.find, autocomplete: 'off', oninput: () => draw(input.value.trim().replace(/^:|:$/g, '').toLowerCase()) });
  return [h('div', { class: 'settings-search' }, input), found, status];
}

function entry({ name, url }, refresh) {
  const words = texts.admin.emoji;
  const written = `:${name}:`;
  return line({
    face: emojiPicture(name, url), name: written, key: `emoji-${name}`,
    actions: [actionButton(words.remove, () => confirmDialog(words.confirm(written), words.remove, async () => {
      await remove(`/api/emoji/${encodeURIComponent(name)}`);
      toast(words.removed(written));
      refresh();
    }, { detail: words.confirmDetail }), { about: written })],
  });
}
