// Searching across my rooms.

import { get, remove } from '../api.js';
import { avatar } from '../components/avatar.js';
import { emptyElement } from '../components/message.js';
import { fill, h, icon, sanitised } from '../dom.js';
import { dayLabel, timeOfDay } from '../format.js';
import { go } from '../routes.js';
import { person, roomName, state } from '../store.js';
import { texts } from '../texts.js';

export class CampSearch extends HTMLElement {
  connectedCallback() {
    this.className = 'page-view';
    const asked = new URLSearchParams(location.search).get('q') || '';
    this.input = h('input', { type: 'search', class: 'filter search-input', name: 'q', placeholder: texts.searchHint, 'aria-label': texts.search, '.value': asked, autocomplete: 'off' });
    this.results = h('div', { class: 'results', 'aria-live': 'polite' });
    fill(this, h('header', { class: 'room-head' }, h('a', { href: '/', class: 'icon-button back', 'aria-label': texts.backToRooms }, icon('back')),
      h('form', { class: 'search-form', role: 'search', onsubmit: (event) => { event.preventDefault(); this.ask(); } }, this.input)),
    h('div', { class: 'page-scroll' }, this.results));
    if (asked) this.search(asked);
    else this.showRecent();
    this.input.focus();
  }

  ask() {
    const query = this.input.value.trim();
    go(query ? `/search?q=${encodeURIComponent(query)}` : '/search');
  }

  async showRecent() {
    const { searches } = await get('/api/searches');
    fill(this.results, searches.length ? h('div', {},
      h('div', { class: 'side-head' }, h('h2', {}, texts.recent), h('button', { type: 'button', class: 'link', onclick: async () => { await remove('/api/searches'); this.showRecent(); } }, texts.forget)),
      h('ul', { class: 'recent' }, searches.map(({ query }) => h('li', {}, h('a', { href: `/search?q=${encodeURIComponent(query)}` }, icon('search'), query))))) : null);
  }

  async search(query, before) {
    try {
      const found = await get(`/api/search?q=${encodeURIComponent(query)}${before ? `&before=${before}` : ''}`);
      if (!this.isConnected) return;
      const lines = found.results.map(result);
      if (!before) fill(this.results, lines.length ? lines : emptyElement(texts.noHits));
      else this.results.append(...lines);
      if (found.has_before) {
        const last = found.results.at(-1).message.id;
        const more = h('button', { type: 'button', class: 'button', onclick: () => { more.remove(); this.search(query, last); } }, texts.older);
        this.results.append(more);
      }
    } catch (problem) {
      fill(this.results, emptyElement(texts.loadFailed, problem.message));
    }
  }
}

function result({ message, snippet }) {
  const author = person(message.creator_id);
  const room = state.rooms.get(message.room_id);
  const at = new Date(message.created_at);
  return h('a', { class: 'result', href: `/rooms/${message.room_id}/@${message.id}` }, avatar(author),
    h('div', {}, h('div', { class: 'message-head' }, h('span', { class: 'message-name' }, author.name),
      h('span', { class: 'result-place' }, room ? roomName(room) : ''), h('time', { datetime: message.created_at }, `${dayLabel(at)}, ${timeOfDay(at)}`)),
    h('p', { dir: 'auto' }, sanitised(snippet))));
}

customElements.define('camp-search', CampSearch);
