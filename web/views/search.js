// Search in all of my rooms. The query is in the address, so that back and forward work.

import { get, remove } from '../api.js';
import { avatar } from '../components/avatar.js';
import { searchFilters } from '../components/search-filters.js';
import { emptyElement, fill, h, iconButton, onTouch, sanitised } from '../dom.js';
import { icon } from '../icons.js';
import { isComposing } from '../key.js';
import { dayLabel, fullTime, timeOfDay } from '../format.js';
import { go } from '../routes.js';
import { momentsOf, parseQuery } from '../search-query.js';
import { others, person, roomName, state, watch } from '../store.js';
import { texts } from '../texts.js';

/** The last results and their scroll position, to be shown again when one comes back from a result. */
let last = { query: '', results: [], hasBefore: false, isIndexing: false, scroll: 0 };

class CampSearch extends HTMLElement {
  connectedCallback() {
    this.className = 'page-view search-view';
    this.input = h('input', { type: 'search', class: 'search-input', name: 'q', placeholder: texts.search.placeholder, 'aria-label': texts.search.title, autocomplete: 'off', enterkeyhint: 'search', maxlength: 256 });
    this.clear = iconButton('close', texts.search.clear, () => this.empty(), { hidden: true });
    this.filters = searchFilters((query) => this.ask(query));
    this.status = h('p', { class: 'search-status', role: 'status' });
    this.list = h('div', { class: 'results' });
    this.scroll = h('div', { class: 'page-scroll search-scroll' }, this.status, this.list);
    this.input.addEventListener('input', () => { this.clear.hidden = !this.input.value; });
    this.scroll.addEventListener('scroll', () => { last.scroll = this.scroll.scrollTop; }, { passive: true });
    this.addEventListener('keydown', (event) => this.step(event));
    fill(this,
      h('header', { class: 'room-head search-head' }, h('a', { href: '/', class: 'icon-button back', 'aria-label': texts.side.backToRooms }, icon('back')), h('h1', { class: 'heard' }, texts.search.title),
        h('form', { class: 'search-form', role: 'search', onsubmit: (event) => { event.preventDefault(); this.ask(this.input.value); } }, icon('search'), this.input, this.clear)),
      this.filters.element, this.scroll);
    // Somebody has another name, or the computer is in another time zone.
    this.stop = watch(['users', 'zone'], () => this.list.querySelector('a.result') && last.results.length && this.redraw());
    this.routed();
  }

  disconnectedCallback() {
    this.stop();
  }

  /** Draws the same results again; the place and the focus stay. */
  redraw() {
    const focused = [...this.list.querySelectorAll('.result')].indexOf(document.activeElement);
    const { scrollTop } = this.scroll;
    this.draw(last.results);
    this.scroll.scrollTop = scrollTop;
    if (focused >= 0) this.list.querySelectorAll('.result')[focused]?.focus({ preventScroll: true });
  }

  /** Shows the search in the address. */
  routed() {
    const query = (new URLSearchParams(location.search).get('q') || '').trim();
    this.input.value = query;
    this.clear.hidden = !query;
    this.filters.draw(query);
    if (!query) this.showRecent();
    else if (query === last.query && last.results.length) this.showAgain();
    else this.search(query);
    // On a touch screen the keyboard would cover the results.
    if (!query || (!onTouch() && !this.contains(document.activeElement))) this.input.focus();
  }

  ask(query) {
    const wanted = query.trim();
    last.query = '';
    go(wanted ? `/search?q=${encodeURIComponent(wanted)}` : '/search');
  }

  empty() {
    this.ask('');
    this.input.focus();
  }

  async showRecent() {
    this.status.textContent = '';
    const invite = emptyElement(texts.search.invite, texts.search.inviteHint);
    fill(this.list, invite);
    const { searches } = await get('/api/searches').catch(() => ({ searches: [] }));
    if (!this.isConnected || location.search || !searches.length) return;
    const forget = h('button', { type: 'button', class: 'link', onclick: async () => {
      await remove('/api/searches').catch(() => {});
      fill(this.list, invite);
      this.input.focus();
    } }, texts.search.forget);
    fill(this.list, h('section', { class: 'recent' }, h('div', { class: 'recent-head' }, h('h2', {}, texts.search.recent), forget),
      h('ul', {}, searches.map(({ query }) => h('li', {}, h('a', { class: 'recent-search', href: `/search?q=${encodeURIComponent(query)}` }, icon('search'), h('bdi', {}, query)))))), invite);
  }

  async search(query) {
    this.status.textContent = '';
    fill(this.list, skeleton());
    last = { query, results: [], hasBefore: false, isIndexing: false, scroll: 0 };
    try {
      await this.fetch(query);
      if (this.isShown(query)) this.draw(last.results);
    } catch (problem) {
      if (!this.isShown(query)) return;
      last.query = '';
      fill(this.list, emptyElement(texts.errors.loadFailed, problem.message, h('button', { type: 'button', class: 'button', onclick: () => this.search(query) }, texts.common.retry)));
    }
  }

  /** Fetches the next page of results. */
  async fetch(query) {
    const before = last.results.at(-1)?.message.id;
    const asked = { q: query, before, ...momentsOf(parseQuery(query).filters) };
    const found = await get(`/api/search?${new URLSearchParams(Object.entries(asked).filter(([, value]) => value))}`);
    if (last.query !== query) return [];
    // Where the last result was deleted meanwhile, some come again.
    const known = new Set(last.results.map(({ message }) => message.id));
    const fresh = found.results.filter(({ message }) => !known.has(message.id));
    last.results.push(...fresh);
    last.hasBefore = found.has_before;
    last.isIndexing = Boolean(found.is_indexing);
    return fresh;
  }

  isShown(query) {
    return this.isConnected && last.query === query;
  }

  showAgain() {
    const { scroll } = last;
    this.draw(last.results);
    this.scroll.scrollTop = scroll;
  }

  draw(results) {
    if (!results.length) return this.drawNone();
    this.status.textContent = this.summary();
    fill(this.list, h('ul', { class: 'result-list' }, results.map(resultLine)), this.older());
  }

  summary() {
    const count = `${texts.search.found(last.results.length, last.hasBefore)}, ${texts.search.order}`;
    return last.isIndexing ? `${count}. ${texts.search.indexing}` : count;
  }

  drawNone() {
    const { words, filters } = parseQuery(last.query);
    this.status.textContent = last.isIndexing ? texts.search.indexing : '';
    const drop = filters.length && words ? h('button', { type: 'button', class: 'button', onclick: () => this.ask(words) }, texts.search.dropFilters) : null;
    fill(this.list, emptyElement(texts.search.none, drop ? texts.search.noneFiltered : texts.search.noneHint, drop));
  }

  older() {
    if (!last.hasBefore) return null;
    const wrong = h('p', { class: 'form-error', role: 'alert' });
    const button = h('button', { type: 'button', class: 'button', onclick: async () => {
      button.disabled = true;
      wrong.textContent = '';
      try {
        const lines = (await this.fetch(last.query)).map(resultLine);
        this.list.querySelector('.result-list').append(...lines);
        this.status.textContent = this.summary();
        lines[0]?.firstElementChild.focus();
        more.replaceWith(...[this.older()].filter(Boolean));
      } catch (problem) {
        wrong.textContent = problem.message;
        button.disabled = false;
      }
    } }, texts.search.older);
    const more = h('div', { class: 'search-more' }, wrong, button);
    return more;
  }

  /** The arrow keys move between the field and the results. */
  step(event) {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!way || isComposing(event) || event.altKey || event.target.closest('.popover, .menu, .filters')) return;
    const lines = [this.input, ...this.list.querySelectorAll('.result, .recent-search')];
    const place = lines.indexOf(document.activeElement);
    if (place < 0 || !lines[place + way]) return;
    event.preventDefault();
    lines[place + way].focus();
  }
}

function resultLine({ message, snippet }) {
  const author = person(message.creator_id);
  const room = state.rooms.get(message.room_id);
  const at = new Date(message.created_at);
  const { attachment } = message;
  return h('li', {}, h('a', { class: 'result', href: `/rooms/${message.room_id}/@${message.id}` }, avatar(author),
    h('span', { class: 'result-main' },
      h('span', { class: 'result-head' }, h('bdi', { class: 'result-name', translate: 'no' }, author.name), h('span', { class: 'result-place' }, placeOf(room)), h('time', { datetime: message.created_at, title: fullTime(at) }, `${dayLabel(at)}, ${timeOfDay(at)}`)),
      said(snippet, message.attachment)),
    attachment?.thumbnail_url ? h('img', { class: 'result-picture', src: attachment.thumbnail_url, alt: '', width: 64, height: 48, loading: 'lazy' }) : null));
}

/** The text around the matches. It includes the file's name; if there is nothing else, it is shown as a file. */
function said(snippet, attachment) {
  const words = sanitised(snippet);
  const text = words.textContent.trim();
  const file = (name) => h('span', { class: 'result-file' }, icon('attach'), h('bdi', {}, name));
  if (attachment && (!text || text === attachment.filename)) return file(text ? words : attachment.filename);
  return [h('span', { class: 'result-text', dir: 'auto' }, words), attachment && !text.includes(attachment.filename) ? file(attachment.filename) : null];
}

/** Where a result is: the room's name, or the others in a direct room. */
function placeOf(room) {
  if (!room) return texts.search.roomGone;
  if (room.kind !== 'direct') return h('bdi', {}, room.name);
  return h('bdi', {}, others(room)[0].id === state.me.id ? texts.side.yourself : roomName(room));
}

const skeleton = () => h('ul', { class: 'result-list', 'aria-hidden': 'true' }, [70, 45, 85, 55, 65].map((width) => h('li', { class: 'result' }, h('span', { class: 'skeleton avatar avatar-medium' }),
  h('span', { class: 'result-main' }, h('span', { class: 'skeleton skeleton-name' }), h('span', { class: `skeleton skeleton-words w${width}` })))));

customElements.define('camp-search', CampSearch);
