// Actions on messages by mouse, touch and keyboard. One toolbar moves from message to message.

import { h, iconButton, onTouch } from '../dom.js';
import { isComposing, shortcutOf } from '../key.js';
import { atHand } from '../lazy.js';
import { texts } from '../texts.js';
import { toggleBoost } from './boosts.js';
import { copyLink, mayEdit, mayRemove } from './message-acts.js';

const LONG_PRESS_MS = 450;
const MOVED = 10;

const openBoosters = async (...given) => (await atHand()).openBoosters(...given);
const openBoostPicker = async (...given) => (await atHand()).openBoostPicker(...given);
const openMessageMenu = async (...given) => (await atHand()).openMessageMenu(...given);
const openProfile = async (...given) => (await atHand()).openProfile(...given);
const confirmRemove = async (message) => (await atHand()).confirmRemove(message);

export class MessageActions {
  /** `acts` are `{reply(message), edit(message), show(id), leave()}`; `leave` focuses the composer. */
  constructor(timeline, acts) {
    this.timeline = timeline;
    this.list = timeline.list;
    this.acts = { ...acts, boost: (message, content) => this.boost(message, content) };
    this.active = null;
    this.toolbar = h('div', { class: 'message-actions', role: 'toolbar', 'aria-label': texts.message.actions });
    const { log } = timeline;
    log.addEventListener('pointerover', (event) => event.pointerType === 'mouse' && this.dress(event.target.closest('.message')));
    log.addEventListener('focusin', (event) => this.focused(event.target.closest('.message')));
    log.addEventListener('click', (event) => this.clicked(event));
    log.addEventListener('keydown', (event) => this.pressed(event));
    log.addEventListener('pointerdown', (event) => this.touched(event));
    // The mouse events after a touch would take the focus from what a long press has opened.
    log.addEventListener('touchend', (event) => this.isHeld && event.cancelable && event.preventDefault());
    log.addEventListener('contextmenu', (event) => this.contextMenu(event));
  }

  boost(message, content) {
    return toggleBoost(message, content, () => {
      this.timeline.willChange();
      this.list.redrawBoosts(message.id);
      this.reach(this.list.element(message.id));
    });
  }

  // ---- the toolbar ----

  /** Moves the toolbar to a message, unless one of its menus is open. */
  dress(element) {
    const entry = this.list.entryOf(element);
    if (!entry || this.toolbar.parentElement === element || this.toolbar.querySelector('[aria-expanded="true"]')) return;
    const { message } = entry;
    const quick = h('button', { type: 'button', class: 'icon-button quick-one', title: texts.message.boostWith('👍'), 'aria-label': texts.message.boostWith('👍'), onclick: () => this.boost(message, '👍') }, '👍');
    const part = (button) => {
      button.tabIndex = -1;
      return button;
    };
    this.toolbar.replaceChildren(...[quick,
      iconButton('smile', texts.message.boost, (event) => openBoostPicker(event.currentTarget, message, (content) => this.boost(message, content)), { 'aria-haspopup': 'dialog' }),
      iconButton('reply', texts.message.reply, () => this.acts.reply(message)),
      mayEdit(message) ? iconButton('edit', texts.common.edit, () => this.acts.edit(message)) : null,
      iconButton('more', texts.common.more, (event) => openMessageMenu(event.currentTarget, message, this.acts), { 'aria-haspopup': 'dialog', 'data-more': '' }),
    ].filter(Boolean).map(part));
    element.append(this.toolbar);
  }

  openMenu(element) {
    this.dress(element);
    this.toolbar.querySelector('[data-more]')?.click();
  }

  // ---- keyboard: one message is in the tab order, the arrows move to the others ----

  /** Puts a message into the tab order: the one that had the focus, or the newest. */
  settle() {
    const element = this.active?.isConnected ? this.active : this.list.element(this.list.newest?.id);
    if (element) this.reach(element);
  }

  /** Makes this the message in the tab order, with the buttons in it. */
  reach(element) {
    if (!element) return;
    if (this.reached && this.reached !== element) setTabs(this.reached, -1);
    this.reached = element;
    setTabs(element, 0);
  }

  focused(element) {
    if (!this.list.entryOf(element)) return;
    this.active = element;
    this.dress(element);
    this.reach(element);
  }

  focus(id) {
    const element = this.list.element(id);
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: 'nearest' });
  }

  /** Moves the focus to the messages: where it was before, or to the newest. */
  enter() {
    this.settle();
    this.reached?.focus();
  }

  pressed(event) {
    const element = event.target.closest('.message');
    const entry = this.list.entryOf(element);
    if (!entry || isComposing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    const isOnMessage = event.target === element;
    if (this.walk(event, entry.message) || ((isOnMessage || event.key === 'Escape') && this.act(event, element, entry.message))) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  walk({ key }, message) {
    const next = { ArrowUp: () => this.list.beside(message.id, -1), ArrowDown: () => this.list.beside(message.id, 1), Home: () => this.list.oldest, End: () => this.list.newest }[key]?.();
    if (!next) return false;
    // After the newest message comes the composer.
    if (next === message && key === 'ArrowDown') this.acts.leave();
    else this.focus(next.id);
    return true;
  }

  act(event, element, message) {
    const { key } = event;
    const acts = {
      Enter: () => this.openMenu(element),
      r: () => this.acts.reply(message),
      e: () => mayEdit(message) && this.acts.edit(message),
      b: () => this.openBoosts(element, message),
      c: () => copyLink(message),
      Delete: () => mayRemove(message) && confirmRemove(message),
      Escape: () => this.acts.leave(),
    };
    const act = acts[key] || acts[shortcutOf(event)];
    if (!act) return false;
    act();
    return true;
  }

  openBoosts(element, message) {
    this.dress(element);
    openBoostPicker(this.toolbar.children[1], message, (content) => this.boost(message, content));
  }

  // ---- mouse and touch ----

  clicked(event) {
    const entry = this.list.entryOf(event.target.closest('.message'));
    if (!entry) return;
    const { message } = entry;
    const pill = event.target.closest('[data-boost], [data-act="boost"]');
    const who = event.target.closest('[data-user-id]');
    const quote = event.target.closest('[data-quotes]');
    if (this.isHeld) event.preventDefault();
    else if (pill?.dataset.act) openBoostPicker(pill, message, (content) => this.boost(message, content));
    else if (pill) this.boost(message, pill.dataset.boost);
    else if (who) openProfile(Number(who.dataset.userId), who.closest('button') || who);
    else if (quote && !isElsewhere(event) && this.acts.show(Number(quote.dataset.quotes))) event.preventDefault();
  }

  /** A long press opens the message's menu. */
  touched(event) {
    this.isHeld = false;
    clearTimeout(this.holding);
    if (event.pointerType === 'mouse' || event.target.closest('textarea, input')) return;
    const { clientX, clientY } = event;
    const stop = new AbortController();
    const end = () => {
      clearTimeout(this.holding);
      stop.abort();
    };
    const moved = (next) => Math.hypot(next.clientX - clientX, next.clientY - clientY) > MOVED && end();
    addEventListener('pointermove', moved, { signal: stop.signal });
    addEventListener('pointerup', end, { signal: stop.signal });
    addEventListener('pointercancel', end, { signal: stop.signal });
    this.holding = setTimeout(() => {
      end();
      this.hold(event.target);
    }, LONG_PRESS_MS);
  }

  hold(target) {
    const element = target.closest('.message');
    const entry = this.list.entryOf(element);
    if (!entry) return;
    this.isHeld = true;
    getSelection()?.removeAllRanges();
    navigator.vibrate?.(10);
    const pill = target.closest('.boost');
    if (pill) openBoosters(pill, entry.message);
    else this.openMenu(element);
  }

  /** A right click on a boost shows who gave it; on touch screens the long press is handled already. */
  contextMenu(event) {
    const pill = event.target.closest('.boost');
    const entry = this.list.entryOf(event.target.closest('.message'));
    if (!entry) return;
    if (onTouch() && !event.target.closest('a, img')) event.preventDefault();
    else if (pill) {
      event.preventDefault();
      openBoosters(pill, entry.message);
    }
  }
}

const isElsewhere = (event) => event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey;

function setTabs(element, tabIndex) {
  element.tabIndex = tabIndex;
  for (const part of element.querySelectorAll('.boost, .message-actions button, .message-name, .code-frame > button')) part.tabIndex = tabIndex;
}
