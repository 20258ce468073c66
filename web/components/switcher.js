// Ctrl+K or Cmd+K: jump to a room or user by the beginning of a word, or search.

import { fill, h, heard } from '../dom.js';
import { icon } from '../icons.js';
import { isComposing } from '../key.js';
import { begins, fits, typedWords } from '../match.js';
import { callsIn, directsInOrder, isHidden, isUnread, roomHere, sharedInOrder, visits } from '../rooms.js';
import { go } from '../routes.js';
import { others, roomName, state } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';
import { startDirect } from './new-conversation.js';
import { openDialog } from './dialog.js';
import { activePeople } from './people.js';

const MOST = 9;

export function switcher() {
  openDialog(texts.switcher.title, (close) => {
    const list = h('ul', { class: 'switcher-list', role: 'listbox', id: 'switcher-list', 'aria-label': texts.switcher.results });
    const count = h('p', { class: 'heard', role: 'status' });
    const input = h('input', {
      type: 'text', class: 'switcher-input', placeholder: texts.switcher.placeholder, 'aria-label': texts.switcher.title, autofocus: true, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', enterkeyhint: 'go',
      role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'switcher-list', 'aria-autocomplete': 'list',
    });
    let found = [];
    let choice = 0;
    const people = activePeople();
    const open = (entry) => {
      close();
      entry.open();
    };
    const choose = (place) => {
      list.children[choice]?.setAttribute('aria-selected', 'false');
      choice = place;
      const chosen = list.children[choice];
      chosen?.setAttribute('aria-selected', 'true');
      chosen?.scrollIntoView({ block: 'nearest' });
      if (chosen) input.setAttribute('aria-activedescendant', chosen.id);
      else input.removeAttribute('aria-activedescendant');
    };
    const show = () => {
      found = entriesFor(input.value, people);
      fill(list, found.map((entry, place) => h('li', {
        role: 'option', id: `switcher-${place}`, class: 'switcher-entry', 'aria-selected': 'false',
        onclick: () => open(entry), onpointermove: () => { if (choice !== place) choose(place); },
      }, entry.face, h('span', { class: `switcher-name${entry.bold ? ' is-unread' : ''}` }, h('bdi', { translate: entry.isSearch ? null : 'no' }, entry.name)), entry.hint)));
      count.textContent = input.value.trim() ? texts.switcher.found(found.filter((entry) => !entry.isSearch).length) : '';
      choose(0);
    };
    input.addEventListener('input', show);
    input.addEventListener('keydown', (event) => {
      if (isComposing(event)) return;
      const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (way && found.length) choose((choice + way + found.length) % found.length);
      else if (event.key === 'Enter' && found[choice]) open(found[choice]);
      else return;
      event.preventDefault();
    });
    show();
    return h('div', {}, h('div', { class: 'switcher-field' }, icon('search'), input), list, count,
      h('p', { class: 'switcher-hint', 'aria-hidden': 'true' }, h('span', {}, h('kbd', {}, '↑'), h('kbd', {}, '↓'), texts.switcher.hintChoose), h('span', {}, h('kbd', {}, '↵'), texts.switcher.hintOpen), h('span', {}, h('kbd', {}, texts.keys.esc), texts.switcher.hintClose)));
  }, { kind: 'switcher' });
}

function entriesFor(value, people) {
  const typed = typedWords(value);
  const words = value.trim();
  if (!words) return [...usual().map(roomEntry), ...strangers(people)].slice(0, MOST);
  const recent = visits();
  const rank = (name, id) => (begins(name, typed) ? 0 : 100) + (recent.includes(id) ? recent.indexOf(id) : 50);
  const rooms = [...state.rooms.values()].filter((room) => (room.kind !== 'direct' || room.member_ids.length > 2) && fits(roomName(room), typed));
  const alone = new Map([...state.rooms.values()].filter((room) => room.kind === 'direct' && room.member_ids.length <= 2).map((room) => [others(room)[0].id, room]));
  const faces = people.filter((user) => fits(user.id === state.me.id ? `${user.name} ${texts.side.yourself}` : user.name, typed));
  const entries = [
    ...rooms.map((room) => ({ rank: rank(roomName(room), room.id), make: () => roomEntry(room) })),
    ...faces.map((user) => ({ rank: rank(user.name, alone.get(user.id)?.id) + 0.5, make: () => personEntry(user, alone.get(user.id)) })),
  ];
  return [...entries.sort((a, b) => a.rank - b.rank).slice(0, MOST).map((entry) => entry.make()), searchEntry(words)];
}

/** Before anything is typed: rooms with mentions, unread ones, those visited last. */
function usual() {
  const listed = [...directsInOrder(), ...sharedInOrder()];
  const before = visits().map((id) => state.rooms.get(id));
  const all = [...listed.filter(callsIn), ...listed.filter(isUnread), ...before, ...listed];
  return [...new Set(all)].filter((room) => room && room.id !== roomHere());
}

/** With few rooms, also users one has not written to yet. */
function strangers(people) {
  const met = new Set([...state.rooms.values()].filter((room) => room.kind === 'direct' && room.member_ids.length <= 2).map((room) => others(room)[0].id));
  return people.filter((user) => user.id !== state.me.id && !met.has(user.id)).slice(0, MOST).map((user) => personEntry(user));
}

const hash = () => h('span', { class: 'switcher-hash', 'aria-hidden': 'true' }, '#');

function roomEntry(room) {
  if (room.kind === 'direct' && room.member_ids.length <= 2) return personEntry(others(room)[0], room);
  const mentions = callsIn(room);
  const about = isHidden(room) ? texts.switcher.hidden : room.kind === 'closed' ? texts.switcher.closed : room.kind === 'direct' ? texts.switcher.group : '';
  return {
    name: roomName(room), bold: isUnread(room), open: () => go(`/rooms/${room.id}`),
    face: room.kind === 'direct' ? avatar(others(room)[0], { size: 'tiny' }) : room.kind === 'closed' ? icon('lock') : hash(),
    hint: [about ? h('small', {}, about) : null, news(isUnread(room), mentions)],
  };
}

function personEntry(user, room) {
  const isMe = user.id === state.me.id;
  return {
    name: isMe ? texts.side.yourself : user.name, bold: Boolean(room && isUnread(room)), open: () => (room ? go(`/rooms/${room.id}`) : startDirect([user.id])),
    face: avatar(user, { size: 'tiny', online: !isMe && state.online.has(user.id) }), hint: room ? news(isUnread(room), callsIn(room)) : h('small', {}, user.role === 'bot' ? texts.switcher.bot : texts.switcher.person),
  };
}

function news(unread, mentions) {
  if (mentions) return [h('span', { class: 'badge', 'aria-hidden': 'true' }, mentions), heard(texts.side.mentions(mentions))];
  return unread ? [h('span', { class: 'dot' }), heard(texts.switcher.unread)] : null;
}

function searchEntry(words) {
  return { isSearch: true, name: texts.switcher.search(words), open: () => go(`/search?q=${encodeURIComponent(words)}`), face: icon('search'), hint: null };
}
