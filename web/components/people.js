// Lists of people, and the dialogs that start with them: a new conversation, a new room.

import { post } from '../api.js';
import { fill, h, iconButton } from '../dom.js';
import { compareNames } from '../format.js';
import { icon } from '../icons.js';
import { isComposing } from '../key.js';
import { fits, typedWords } from '../match.js';
import { onlyPosts } from '../members.js';
import { mayInvite } from '../rights.js';
import { go } from '../routes.js';
import { person, putRoom, state } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';
import { startDirect } from './new-conversation.js';
import { openDialog } from './dialog.js';
import { choice, field, form } from './field.js';

/** Drawing the first hundred keeps ten thousand people fast. */
const DRAWN = 100;

/** All active users, by name. */
export function activePeople() {
  return [...state.users.values()].filter((user) => user.status === 'active' && !onlyPosts(user)).sort((a, b) => compareNames(a.name, b.name));
}

/** A list of people with a filter above it; `draw(user)` returns a line. */
export function peopleList(people, draw, { focused = true, label = texts.people.filter } = {}) {
  const list = h('ul', { class: 'people' });
  const rest = h('p', { class: 'people-rest', role: 'status' });
  const filter = h('input', { type: 'search', class: 'filter', placeholder: texts.people.filter, 'aria-label': label, autocomplete: 'off', autofocus: focused });
  const show = () => {
    const typed = typedWords(filter.value);
    const found = people.filter((user) => fits(user.name, typed));
    fill(list, found.slice(0, DRAWN).map((user) => h('li', {}, draw(user))));
    rest.textContent = found.length === 0 ? texts.people.nobody : found.length > DRAWN ? texts.people.moreToFind(found.length - DRAWN) : '';
    list.scrollTop = 0;
  };
  filter.addEventListener('input', show);
  const element = h('div', { class: 'people-box' }, h('div', { class: 'filter-box' }, icon('search'), filter), list, rest);
  element.addEventListener('keydown', (event) => step(event, filter, list));
  show();
  return element;
}

/** The arrow keys move between the filter and the lines; Enter in the filter takes the first line. */
function step(event, filter, list) {
  if (isComposing(event)) return;
  const lines = [...list.querySelectorAll(':scope > li > *')].map((line) => (line.matches('button, a') ? line : line.querySelector('input, button, a'))).filter(Boolean);
  if (event.key === 'Enter' && event.target === filter) {
    event.preventDefault();
    if (filter.value.trim()) lines[0]?.click();
    return;
  }
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!way || !lines.length) return;
  event.preventDefault();
  const place = lines.indexOf(document.activeElement) + way;
  (place < 0 ? filter : lines[Math.min(place, lines.length - 1)]).focus();
}

/** What is said beside a name. */
function noteOf(user) {
  const words = user.id === state.me.id ? texts.people.you : { deactivated: texts.people.deactivated, banned: texts.people.banned }[user.status] || ({ bot: texts.people.bot, guest: texts.people.guest }[user.role] || '');
  return words ? h('small', {}, words) : null;
}

/** A line: picture, name, and more. */
export function personLine(user, ...more) {
  return [avatar(user, { size: 'small', online: state.online.has(user.id) }),
    h('span', { class: 'person-name' }, h('bdi', { translate: 'no' }, user.name), noteOf(user)), more];
}

/** Checkboxes; `chosen` is the set of ids. The chosen people are shown above and can be removed there. */
export function choosePeople(chosen, { focused = false, onchange = () => {}, among = () => true } = {}) {
  const chips = h('ul', { class: 'chips', 'aria-label': texts.people.chosen });
  const choose = (user, is) => {
    if (is) chosen.add(user.id);
    else chosen.delete(user.id);
    drawChips();
    onchange();
  };
  const drawChips = () => {
    const people = [...chosen].map(person).filter((user) => user.id !== state.me.id && !onlyPosts(user));
    chips.hidden = people.length === 0;
    fill(chips, people.slice(0, DRAWN).map((user) => h('li', { class: 'chip' }, avatar(user, { size: 'tiny' }), h('bdi', { translate: 'no' }, user.name), user.status === 'active' ? null : noteOf(user), iconButton('close', texts.people.takeOut(user.name), () => {
      choose(user, false);
      const box = element.querySelector(`input[value="${user.id}"]`);
      if (box) box.checked = false;
      element.querySelector('.filter').focus();
    }))));
  };
  // Who can no longer be chosen, but is.
  const others = [...chosen].map(person).filter((user) => user.status !== 'active');
  const list = peopleList([...others, ...activePeople().filter((user) => user.id !== state.me.id && among(user))], (user) => h('label', { class: 'person' },
    h('input', { type: 'checkbox', value: user.id, '.checked': chosen.has(user.id), onchange: (event) => choose(user, event.target.checked) }), personLine(user)), { focused });
  const element = h('div', { class: 'choose-people' }, chips, list);
  drawChips();
  return element;
}

/** A dialog that starts a conversation with one person at once, or with several. */
export function pingSomebody() {
  openDialog(texts.people.ping, (close) => {
    const place = h('div', { class: 'form' });
    const one = peopleList(activePeople(), (user) => h('button', { type: 'button', class: 'person', onclick: () => {
      close();
      startDirect([user.id]);
    } }, personLine(user)));
    fill(place, one, h('div', { class: 'row' }, h('button', { type: 'button', class: 'button', onclick: () => {
      fill(place, choosePeople(chosen, { focused: true }), wrong, h('div', { class: 'row row-end' }, start));
      place.querySelector('.filter').focus();
    } }, icon('people'), texts.people.several),
    mayInvite() ? h('a', { class: 'button', href: '/settings/invite', onclick: () => close() }, icon('invite'), texts.side.invite) : null));
    const chosen = new Set();
    const wrong = h('p', { class: 'form-error', role: 'alert' });
    const start = h('button', { type: 'button', class: 'button button-primary', onclick: () => {
      if (!chosen.size) return void (wrong.textContent = texts.people.chooseSome);
      close();
      startDirect([...chosen]);
    } }, texts.people.start);
    return place;
  }, { kind: 'dialog-people' });
}

export function newRoom() {
  openDialog(texts.people.newRoom, (close) => {
    const chosen = new Set();
    const people = h('fieldset', { class: 'choices', hidden: true }, h('legend', {}, texts.people.who), choosePeople(chosen));
    const kind = (value, label, hint, checked) => choice('radio', 'kind', label, { value, '.checked': checked, onchange: () => { people.hidden = value !== 'closed'; } }, hint);
    return form([
      field('name', texts.people.roomName, { maxlength: 100, autofocus: true, autocomplete: 'off' }),
      h('fieldset', { class: 'choices' }, h('legend', {}, texts.people.kind),
        kind('open', texts.people.open, texts.people.openHint, true), kind('closed', texts.people.closedKind, texts.people.closedHint, false)),
      people,
    ], texts.people.create, async (values) => {
      const room = await post('/api/rooms', { name: values.name, kind: values.kind, user_ids: values.kind === 'closed' ? [...chosen] : [] });
      putRoom(room);
      close();
      go(`/rooms/${room.id}`);
    });
  }, { kind: 'dialog-people' });
}
