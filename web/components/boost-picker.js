// Giving a boost, and the list of who gave which.

import { partsOf } from '../custom-emoji.js';
import { h, iconButton } from '../dom.js';
import { graphemes } from '../format.js';
import { person } from '../store.js';
import { texts } from '../texts.js';
import { avatar } from './avatar.js';
import { groups, isMine, nameOf } from './boosts.js';
import { openPopover } from './menu.js';
import { pickEmoji } from './pick-emoji.js';

const QUICK_BOOSTS = ['👍', '👏', '👋', '💪', '❤️', '😂', '🎉', '🔥'];
const MOST_CHARACTERS = 16;

/** Eight common boosts in a row. */
export function quickBoosts(message, pick) {
  return h('div', { class: 'quick-boosts', role: 'group', 'aria-label': texts.message.boost }, QUICK_BOOSTS.map((content) => h('button', {
    type: 'button', class: 'quick-boost', 'aria-label': content, 'aria-pressed': String(message.boosts.some(isMine(content))), onclick: () => pick(content),
  }, content)));
}

/** Common boosts, any emoji, or a short word. */
export function openBoostPicker(anchor, message, pick) {
  openPopover(anchor, (close) => {
    const picked = (content) => {
      close();
      pick(content);
    };
    const emoji = iconButton('smile', texts.message.boostEmoji, () => {
      close();
      pickEmoji(anchor, pick);
    });
    return h('div', { class: 'boost-picker' }, quickBoosts(message, picked), wordForm(picked, emoji));
  }, { label: texts.message.boost, kind: 'popover-boosts' });
}

function wordForm(picked, before) {
  const input = h('input', { type: 'text', class: 'filter', placeholder: texts.message.boostWord, 'aria-label': texts.message.boostWord, autocomplete: 'off', enterkeyhint: 'done', dir: 'auto' });
  const left = h('span', { class: 'boost-left', 'aria-hidden': 'true' });
  const button = h('button', { type: 'submit', class: 'button button-small', disabled: true }, texts.message.boostAction);
  input.addEventListener('input', () => {
    const characters = graphemes(input.value);
    if (characters.length > MOST_CHARACTERS) input.value = characters.slice(0, MOST_CHARACTERS).join('');
    left.textContent = input.value ? MOST_CHARACTERS - Math.min(characters.length, MOST_CHARACTERS) : '';
    button.disabled = !input.value.trim();
  });
  return h('form', { class: 'boost-form', onsubmit: (event) => {
    event.preventDefault();
    if (input.value.trim()) picked(input.value.trim());
  } }, before, h('span', { class: 'boost-input' }, input, left), button);
}

/** The list of who gave which boost. */
export function openBoosters(anchor, message) {
  openPopover(anchor, () => h('div', { class: 'boosters' }, h('h2', {}, texts.message.boosts), groups(message.boosts).map(([content, given]) => h('section', {},
    h('h3', { dir: 'auto' }, partsOf(content)),
    h('ul', {}, given.map((boost) => h('li', { class: 'booster' }, avatar(person(boost.user_id), { size: 'tiny' }), h('span', { dir: 'auto' }, nameOf(boost)))))))),
  { label: texts.message.boosts, kind: 'popover-boosters' });
}
