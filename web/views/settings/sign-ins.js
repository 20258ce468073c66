// Who signs in how, and who failed to.

import { get, remove } from '../../api.js';
import { avatar } from '../../components/avatar.js';
import { confirmDialog } from '../../components/dialog.js';
import { toast } from '../../components/toast.js';
import { h } from '../../dom.js';
import { compareNames } from '../../format.js';
import { icon } from '../../icons.js';
import { person, state } from '../../store.js';
import { texts } from '../../texts.js';
import { actionButton, ago, block, line, list, loaded, mark, nothing, number, page } from './parts.js';
import { openSessions } from './person-dialogs.js';

/** The list stays fast with ten thousand people. */
const DRAWN = 100;

export function signIns() {
  const words = texts.admin.signIns;
  const { element: people, refresh } = loaded(() => get('/api/sign_ins'), ({ people: rows }) => drawPeople(rows, () => refresh()), { lines: 5 });
  const { element: failed } = loaded(() => get('/api/sign_ins/failed'), ({ failed: rows, has_before: isMore }) => (rows.length ? drawFailed(rows, isMore) : nothing('shield', words.noneFailed)));
  return page('signins', words.lead, people, block(words.failed, words.failedLead, failed));
}

function drawPeople(rows, refresh) {
  const words = texts.admin.signIns;
  const place = h('div', {});
  const rest = h('p', { class: 'settings-count', role: 'status' });
  const input = h('input', { type: 'search', class: 'filter', placeholder: texts.admin.people.find, 'aria-label': texts.admin.people.find, autocomplete: 'off', oninput: () => draw() });
  const known = rows.map((row) => ({ row, user: person(row.user_id) })).filter(({ user }) => user.status === 'active').sort((a, b) => compareNames(a.user.name, b.user.name));
  const draw = () => {
    const wanted = input.value.trim().toLowerCase();
    const found = known.filter(({ user }) => !wanted || user.name.toLowerCase().includes(wanted) || (user.email || '').toLowerCase().includes(wanted));
    place.replaceChildren(found.length ? list(texts.settings.names.signins, found.slice(0, DRAWN).map(({ row, user }) => one(row, user, refresh))) : nothing('people', texts.admin.people.nobody));
    rest.textContent = found.length > DRAWN ? texts.admin.people.more(number(found.length - DRAWN)) : words.count(found.length);
  };
  draw();
  return [input, place, rest];
}

function one(row, user, refresh) {
  const words = texts.admin.signIns;
  const ways = [row.has_password ? words.hasPassword : words.noPassword, row.has_second_factor ? words.secondStep : words.noSecondStep, row.method ? words.methods[row.method] : null].filter(Boolean);
  return line({
    face: avatar(user, { size: 'medium', online: state.online.has(user.id) }), name: user.name, key: `signin-${user.id}`,
    marks: [user.role === 'admin' ? mark(texts.admin.people.admin, 'is-ember') : null, user.role === 'guest' ? mark(texts.admin.people.guest) : null, user.is_unclaimed ? mark(texts.admin.people.unclaimed) : null].filter(Boolean),
    facts: [ways.join(' · '), [row.last_seen_at ? [words.lastSeen, ' ', ago(row.last_seen_at)] : words.neverSeen, ' · ', words.has(row.devices, row.tokens)]],
    actions: [row.devices + row.tokens ? actionButton(words.sessions, () => openSessions(user, refresh), { about: user.name }) : null,
      row.has_second_factor ? actionButton(words.removeSecondStep, () => confirmDialog(words.confirmSecondStep(user.name), words.removeSecondStep, async () => {
        await remove(`/api/users/${user.id}/second_factor`);
        toast(texts.common.saved);
        refresh();
      }, { detail: words.confirmSecondStepDetail }), { about: user.name }) : null].filter(Boolean),
  });
}

function drawFailed(rows, isMore) {
  const words = texts.admin.signIns;
  const lines = list(words.failed, rows.map(failure));
  let last = rows.at(-1).id;
  const wrong = h('p', { class: 'field-error', role: 'alert' });
  const more = h('button', { type: 'button', class: 'button', hidden: !isMore, onclick: async () => {
    more.disabled = true;
    wrong.textContent = '';
    try {
      const found = await get(`/api/sign_ins/failed?before=${last}`);
      const added = found.failed.map(failure);
      lines.append(...added);
      last = found.failed.at(-1)?.id ?? last;
      more.hidden = !found.has_before;
      added[0]?.setAttribute('tabindex', '-1');
      added[0]?.focus();
    } catch (problem) {
      wrong.textContent = problem.message;
    } finally {
      more.disabled = false;
    }
  } }, texts.admin.audit.older);
  return [lines, wrong, h('div', { class: 'row' }, more)];
}

function failure(row) {
  const words = texts.admin.signIns;
  const user = row.user_id ? person(row.user_id) : null;
  return line({
    face: user ? avatar(user, { size: 'small' }) : h('span', { class: 'settings-host', 'aria-hidden': 'true' }, icon('warning')), name: user ? user.name : words.noAccount, key: `failed-${row.id}`,
    facts: [words.attempts(row.attempts, row.network), [words.lastAttempt, ' ', ago(row.last_at)]],
  });
}
