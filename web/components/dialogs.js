// Making rooms, finding people, jumping to either.

import { post } from '../api.js';
import { fill, h } from '../dom.js';
import { go } from '../routes.js';
import { putRoom, roomName, state } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';
import { openDialog } from './dialog.js';
import { field, form } from './field.js';

export async function startDirect(ids) {
  const room = await post('/api/rooms', { kind: 'direct', user_ids: ids });
  putRoom(room);
  go(`/rooms/${room.id}`);
}

const active = () => [...state.users.values()].filter((user) => user.status === 'active').sort((a, b) => a.name.localeCompare(b.name));
const fits = (name, wanted) => name.toLowerCase().split(/\s+/).some((word, place, words) => words.slice(place).join(' ').startsWith(wanted));

/** A list of people with a filter above it; `draw(user)` answers a line. */
export function peopleList(people, draw, { focused = true } = {}) {
  const list = h('div', { class: 'people' });
  const filter = h('input', { type: 'search', class: 'filter', placeholder: texts.filterPeople, 'aria-label': texts.filterPeople, autofocus: focused });
  const show = () => {
    const wanted = filter.value.trim().toLowerCase();
    // Ten thousand people stay quick when the first hundred are drawn.
    const found = people.filter((user) => fits(user.name, wanted)).slice(0, 100);
    fill(list, found.length ? found.map(draw) : h('p', { class: 'side-empty' }, texts.nobody));
  };
  filter.addEventListener('input', show);
  show();
  return h('div', { class: 'people-box' }, filter, list);
}

export function pingSomebody() {
  openDialog(texts.ping, (close) => peopleList(active(), (user) => h('button', { type: 'button', class: 'person', onclick: () => { close(); startDirect([user.id]); } },
    avatar(user, { size: 'small', online: state.online.has(user.id) }), h('span', {}, user.id === state.me.id ? texts.yourself : user.name))));
}

/** Boxes to tick; `chosen` is the set of ids that it keeps. */
export function choosePeople(chosen) {
  return peopleList(active().filter((user) => user.id !== state.me.id), (user) => h('label', { class: 'person' },
    h('input', { type: 'checkbox', '.checked': chosen.has(user.id), onchange: (event) => (event.target.checked ? chosen.add(user.id) : chosen.delete(user.id)) }),
    avatar(user, { size: 'small' }), h('span', {}, user.name)));
}

export function newRoom() {
  openDialog(texts.newRoom, (close) => {
    const chosen = new Set();
    const people = h('div', { hidden: true }, choosePeople(chosen));
    const kind = (value, label, checked) => h('label', { class: 'choice' },
      h('input', { type: 'radio', name: 'kind', value, '.checked': checked, onchange: () => { people.hidden = value !== 'closed'; } }), label);
    return form([
      field('name', texts.roomName, { maxlength: 100, autofocus: true, autocomplete: 'off' }),
      h('fieldset', { class: 'choices' }, kind('open', texts.kindOpen, true), kind('closed', texts.kindClosed, false)), people,
    ], texts.create, async ({ name, kind: chosenKind }) => {
      const room = await post('/api/rooms', { name, kind: chosenKind, user_ids: [...chosen] });
      putRoom(room);
      close();
      go(`/rooms/${room.id}`);
    });
  });
}

/** Ctrl or Cmd and K: any room or person by the beginning of a word. */
export function switcher() {
  if (document.querySelector('.switcher')) return;
  openDialog(texts.jump, (close) => {
    const list = h('div', { class: 'people', role: 'listbox' });
    const input = h('input', { type: 'search', class: 'filter', placeholder: texts.jump, 'aria-label': texts.jump, autofocus: true });
    let found = [];
    let choice = 0;
    const draw = () => fill(list, found.map((entry, place) => h('button', {
      type: 'button', role: 'option', 'aria-selected': place === choice ? 'true' : 'false', class: `person${place === choice ? ' is-chosen' : ''}`, onclick: () => { close(); entry.open(); },
    }, entry.face || h('span', { class: 'person-hash', 'aria-hidden': 'true' }, '#'), h('span', {}, entry.name))));
    const show = () => {
      const wanted = input.value.trim().toLowerCase();
      const rooms = [...state.rooms.values()].filter((room) => room.kind !== 'direct' && fits(room.name, wanted))
        .map((room) => ({ name: roomName(room), open: () => go(`/rooms/${room.id}`) }));
      const people = active().filter((user) => user.id !== state.me.id && fits(user.name, wanted))
        .map((user) => ({ name: user.name, face: avatar(user, { size: 'small', online: state.online.has(user.id) }), open: () => startDirect([user.id]) }));
      const words = wanted ? [{ name: `${texts.search}: ${input.value.trim()}`, open: () => go(`/search?q=${encodeURIComponent(input.value.trim())}`) }] : [];
      found = [...rooms, ...people].slice(0, 9).concat(words);
      choice = 0;
      draw();
    };
    input.addEventListener('input', show);
    input.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowDown') choice = (choice + 1) % found.length;
      else if (event.key === 'ArrowUp') choice = (choice - 1 + found.length) % found.length;
      else if (event.key === 'Enter' && found[choice]) { close(); found[choice].open(); } else return;
      event.preventDefault();
      draw();
    });
    show();
    return h('div', { class: 'switcher people-box' }, input, list);
  });
}
