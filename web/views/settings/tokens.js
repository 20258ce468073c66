// Personal API tokens.

import { get, post, remove } from '../../api.js';
import { confirmDialog } from '../../components/dialog.js';
import { field, form } from '../../components/field.js';
import { toast } from '../../components/toast.js';
import { fill, h } from '../../dom.js';
import { state } from '../../store.js';
import { texts } from '../../texts.js';
import { ago, block, copyLine, line, list, loaded, mark, nothing, page, picker, secret } from './parts.js';

const SCOPES = ['read', 'write', 'admin'];

export function tokens() {
  const words = texts.settings.tokens;
  const shown = h('div', {});
  const { element, refresh } = loaded(() => get('/api/tokens'), ({ tokens: all }) => (all.length ? list(texts.settings.names.tokens, all.map((token) => one(token, () => refresh()))) : nothing('key', words.none)), { lines: 1 });
  const scopes = SCOPES.filter((scope) => scope !== 'admin' || state.me.role === 'admin');
  const maker = form([
    field('name', words.name, { maxlength: 100, autocomplete: 'off', placeholder: words.nameExample }, words.nameHint),
    picker('scope', words.scope, scopes.map((scope) => [scope, words.scopeMeans[scope]]), { value: 'write', hint: words.scopeHint }),
  ], words.create, async ({ name, scope }) => {
    const made = await post('/api/tokens', { name, scope });
    maker.reset();
    fill(shown, secret(words.made(made.name), copyLine(words.token, made.token),
      copyLine(words.tryIt, `curl -H 'Authorization: Bearer ${made.token}' ${location.origin}/api/rooms`)));
    refresh();
  });
  return page('tokens', words.lead, block(words.new, '', maker, shown), block(words.yours, '', element),
    h('p', { class: 'settings-lead' }, h('a', { class: 'link', href: '/api/openapi.json', target: '_blank' }, words.reference)));
}

function one(token, refresh) {
  const words = texts.settings.tokens;
  const used = token.last_active_at && token.last_active_at !== token.created_at;
  return line({
    face: 'key', name: token.name, key: `token-${token.id}`, marks: [mark(words.scopes[token.scope])],
    facts: [[words.madeAt, ' ', ago(token.created_at), ' · ', used ? [words.lastUsed, ' ', ago(token.last_active_at)] : words.unused].flat()],
    actions: [h('button', { type: 'button', class: 'button button-small is-danger', 'aria-label': `${words.revoke}: ${token.name}`, onclick: () => confirmDialog(words.confirm(token.name), words.revoke, async () => {
      await remove(`/api/tokens/${token.id}`);
      toast(words.revoked(token.name));
      refresh();
    }, { detail: words.confirmDetail }) }, words.revoke)],
  });
}
