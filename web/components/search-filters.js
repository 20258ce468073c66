// The filters of a search, as chips: each writes the filter that could also be typed.

import { fill, h, iconButton } from '../dom.js';
import { icon } from '../icons.js';
import { fits, typedWords } from '../match.js';
import { sharedInOrder } from '../rooms.js';
import { dayBefore, parseQuery, refined } from '../search-query.js';
import { texts } from '../texts.js';
import { field } from './field.js';
import { openMenu, openPopover } from './menu.js';
import { activePeople, peopleList, personLine } from './people.js';

const KINDS = ['file', 'image', 'video', 'audio', 'link', 'sound'];
const TIMES = ['before', 'after', 'on'];

const dayName = (day) => new Date(`${day}T12:00:00`).toLocaleDateString(document.documentElement.lang || undefined, { day: 'numeric', month: 'short', year: 'numeric' });

/** `{element, draw(query)}`; `ask(query)` gets the changed search. */
export function searchFilters(ask) {
  const element = h('div', { class: 'filters', role: 'group', 'aria-label': texts.search.filters });
  let query = '';

  const set = (keys, ...added) => ask(refined(query, keys, added));
  const choosers = [
    { keys: ['in'], name: 'in', open: (anchor) => chooseRoom(anchor, (name) => set(['in'], { key: 'in', value: name })) },
    { keys: ['from'], name: 'from', open: (anchor) => choosePerson(anchor, (name) => set(['from'], { key: 'from', value: name })) },
    { keys: ['has'], name: 'has', open: (anchor) => openMenu(anchor, KINDS.map((kind) => ({ label: texts.search.kinds[kind], checked: has(kind), onclick: () => (has(kind) ? set(['has']) : set(['has'], { key: 'has', value: kind })) }))) },
    { keys: TIMES, name: 'when', open: (anchor) => chooseTime(anchor, parseQuery(query).filters, set) },
  ];
  const has = (kind) => parseQuery(query).filters.some(({ key, value }) => key === 'has' && value.toLowerCase() === kind);

  function draw(text) {
    query = text;
    const { filters } = parseQuery(text);
    fill(element, choosers.map((chooser) => {
      const set = filters.filter(({ key }) => chooser.keys.includes(key));
      const label = set.length ? set.map(valueName).join(', ') : texts.search[chooser.name];
      const opener = h('button', { type: 'button', class: 'filter-open', 'aria-haspopup': chooser.name === 'has' ? 'menu' : 'dialog', 'aria-expanded': 'false', 'data-filter': chooser.name, onclick: (event) => chooser.open(event.currentTarget) }, h('span', { dir: 'auto' }, label), icon('chevronDown'));
      return h('div', { class: `filter-chip${set.length ? ' is-set' : ''}` }, opener,
        set.length ? iconButton('close', texts.search.removeFilter(label), () => ask(refined(query, chooser.keys, []))) : null);
    }));
  }

  return { element, draw };
}

function valueName({ key, value }) {
  if (key === 'has') return texts.search.hasValue(texts.search.kinds[value.toLowerCase()]);
  return texts.search[`${key}Value`](TIMES.includes(key) ? dayName(value) : value);
}

function chooseRoom(anchor, onchoose) {
  openPopover(anchor, (close) => {
    const rooms = sharedInOrder();
    const list = h('ul', { class: 'people' });
    const none = h('p', { class: 'people-rest', role: 'status' });
    const show = () => {
      const typed = typedWords(filter.value);
      const found = rooms.filter((room) => fits(room.name, typed));
      fill(list, found.slice(0, 100).map((room) => h('li', {}, h('button', { type: 'button', class: 'person', onclick: () => {
        close();
        onchoose(room.name);
      } }, h('span', { class: 'person-name' }, h('bdi', {}, room.name)), room.kind === 'closed' ? icon('lock') : null))));
      none.textContent = found.length ? '' : texts.search.noRoom;
    };
    const filter = h('input', { type: 'search', class: 'filter', placeholder: texts.search.findRoom, 'aria-label': texts.search.findRoom, autofocus: true, autocomplete: 'off', oninput: show });
    show();
    return h('div', { class: 'people-box' }, h('div', { class: 'filter-box' }, icon('search'), filter), list, none);
  }, { label: texts.search.in, kind: 'popover-choose' });
}

function choosePerson(anchor, onchoose) {
  openPopover(anchor, (close) => peopleList(activePeople(), (user) => h('button', { type: 'button', class: 'person', onclick: () => {
    close();
    onchoose(user.name);
  } }, personLine(user))), { label: texts.search.from, kind: 'popover-choose' });
}

function chooseTime(anchor, filters, set) {
  openPopover(anchor, (close) => {
    const value = (key) => filters.find((filter) => filter.key === key)?.value || '';
    const preset = (label, ...added) => h('button', { type: 'button', class: 'button button-small', onclick: () => {
      close();
      set(TIMES, ...added);
    } }, label);
    // `after:` excludes the day itself.
    return h('form', { class: 'form', onsubmit: (event) => {
      event.preventDefault();
      const { after, before } = Object.fromEntries(new FormData(event.currentTarget));
      close();
      set(TIMES, ...(after ? [{ key: 'after', value: after }] : []), ...(before ? [{ key: 'before', value: before }] : []));
    } },
    h('div', { class: 'row' }, preset(texts.search.today, { key: 'on', value: dayBefore(0) }), preset(texts.search.week, { key: 'after', value: dayBefore(7) }), preset(texts.search.month, { key: 'after', value: dayBefore(30) }), preset(texts.search.anyTime)),
    h('div', { class: 'filter-days' }, field('after', texts.search.afterDay, { type: 'date', value: value('after'), id: 'search-after' }), field('before', texts.search.beforeDay, { type: 'date', value: value('before'), id: 'search-before' })),
    h('button', { type: 'submit', class: 'button button-primary' }, texts.search.apply));
  }, { label: texts.search.when, kind: 'popover-time' });
}
