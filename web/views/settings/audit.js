// The audit log.

import { get } from '../../api.js';
import { avatar } from '../../components/avatar.js';
import { h } from '../../dom.js';
import { icon } from '../../icons.js';
import { person, state } from '../../store.js';
import { texts } from '../../texts.js';
import { ago, line, list, loaded, nothing, page } from './parts.js';

export function audit() {
  const words = texts.admin.audit;
  const { element } = loaded(() => get('/api/audit'), ({ entries, has_before: isMore }) => (entries.length ? drawn(entries, isMore) : nothing('shield', words.none)), { lines: 5 });
  return page('audit', words.lead, element);
}

function drawn(entries, isMore) {
  const words = texts.admin.audit;
  const lines = list(texts.settings.names.audit, entries.map(one));
  let last = entries.at(-1).id;
  const wrong = h('p', { class: 'field-error', role: 'alert' });
  const more = h('button', { type: 'button', class: 'button', hidden: !isMore, onclick: async () => {
    more.disabled = true;
    wrong.textContent = '';
    try {
      const found = await get(`/api/audit?before=${last}`);
      const added = found.entries.map(one);
      lines.append(...added);
      last = found.entries.at(-1)?.id ?? last;
      more.hidden = !found.has_before;
      // The button may be gone: the focus goes to the first new line.
      added[0]?.setAttribute('tabindex', '-1');
      added[0]?.focus();
    } catch (problem) {
      wrong.textContent = problem.message;
    } finally {
      more.disabled = false;
    }
  } }, words.older);
  return [lines, wrong, h('div', { class: 'row' }, more)];
}

function one(entry) {
  const words = texts.admin.audit;
  const actor = entry.actor_id ? person(entry.actor_id) : null;
  // Who was turned away is nobody here.
  const host = entry.ip_address ? words.stranger : words.host;
  return line({
    face: actor ? avatar(actor, { size: 'small' }) : h('span', { class: 'settings-host', 'aria-hidden': 'true' }, icon('code')), name: actor ? actor.name : host, key: `audit-${entry.id}`,
    facts: [sentence(entry), [ago(entry.at), entry.ip_address ? ` · ${words.from(entry.ip_address)}` : '']],
  });
}

/** An action in words; an unknown one is shown as it was recorded. */
function sentence({ action, subject, detail }) {
  const words = texts.admin.audit;
  const say = action === 'user.change' ? words.userChange[/\brole \w+/.exec(detail)?.[0]] || words.userChange.other : words.actions[action];
  return say ? say(named(subject)) : `${action} · ${subject}${detail ? ` · ${detail}` : ''}`;
}

/** The name behind a subject like `user 5`. */
function named(subject) {
  const words = texts.admin.audit;
  const inRoom = /^hook (.+) in room (\d+)$/.exec(subject);
  if (inRoom) return words.hookIn(inRoom[1], roomName(inRoom[2]));
  const [, kind, rest] = /^(\w+) (.+)$/.exec(subject) || [null, '', subject];
  if ((kind === 'user' || kind === 'bot') && /^\d+$/.test(rest)) return state.users.get(Number(rest))?.name || words.numbered(kind, rest);
  if (kind === 'room') return roomName(rest);
  if (/^\d+$/.test(rest)) return words.numbered(kind, rest);
  return rest;
}

const roomName = (id) => state.rooms.get(Number(id))?.name || texts.admin.audit.numbered('room', id);
