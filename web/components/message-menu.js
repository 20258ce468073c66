// The menu of a message; a sheet on a phone.

import { remove } from '../api.js';
import { h } from '../dom.js';
import { icon } from '../icons.js';
import { state } from '../store.js';
import { texts } from '../texts.js';
import { openBoosters, openBoostPicker, quickBoosts } from './boost-picker.js';
import { confirmDialog } from './dialog.js';
import { openPopover } from './menu.js';
import { copyLink, copyWords, mayEdit, mayRemove } from './message-acts.js';
import { pickEmoji } from './pick-emoji.js';
import { openProfile } from './profile-card.js';

export function confirmRemove(message) {
  const isMine = message.creator_id === state.me.id;
  confirmDialog(isMine ? texts.message.removeMine : texts.message.removeTheirs, texts.common.remove, () => remove(`/api/messages/${message.id}`), { detail: texts.message.removeDetail });
}

/** `acts` are `{boost(message, content), reply(message), edit(message)}`. */
export function openMessageMenu(anchor, message, acts) {
  openPopover(anchor, (close) => {
    // An action may open a popover at the same button once this one is closed.
    const entry = (name, label, act, kind = '') => h('button', { type: 'button', class: kind, onclick: () => {
      close();
      act();
    } }, icon(name), h('span', {}, label));
    const boost = (content) => {
      close();
      acts.boost(message, content);
    };
    const menu = h('div', { class: 'message-menu' }, quickBoosts(message, boost), h('div', { class: 'message-menu-entries' },
      entry('smile', texts.message.boostEmoji, () => pickEmoji(anchor, (content) => acts.boost(message, content))),
      entry('edit', texts.message.boostWords, () => openBoostPicker(anchor, message, (content) => acts.boost(message, content))),
      message.boosts.length ? entry('people', texts.message.boosters(message.boosts.length), () => openBoosters(anchor, message)) : null,
      h('hr', {}),
      entry('reply', texts.message.reply, () => acts.reply(message)),
      mayEdit(message) ? entry('edit', texts.common.edit, () => acts.edit(message)) : null,
      entry('link', texts.message.copyLink, () => copyLink(message)),
      message.content ? entry('copy', texts.message.copyWords, () => copyWords(message)) : null,
      entry('person', texts.message.profile, () => openProfile(message.creator_id, anchor)),
      mayRemove(message) ? entry('trash', texts.common.remove, () => confirmRemove(message), 'is-danger') : null));
    menu.addEventListener('keydown', step);
    return menu;
  }, { label: texts.message.actions, kind: 'popover-message' });
}

/** The arrow keys move between a menu's buttons. */
function step(event) {
  const way = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!way) return;
  event.preventDefault();
  const buttons = [...event.currentTarget.querySelectorAll('button')];
  const here = buttons.indexOf(document.activeElement);
  const isInRow = document.activeElement.classList.contains('quick-boost');
  // Down from the row of boosts skips the rest of the row.
  const next = isInRow && event.key === 'ArrowDown' ? buttons.findIndex((button) => !button.classList.contains('quick-boost')) : here + way;
  buttons.at(next % buttons.length).focus();
}
