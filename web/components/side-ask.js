// Asks once whether notifications shall be turned on, when somebody has begun to talk.

import { fill, h } from '../dom.js';
import { icon } from '../icons.js';
import { lazy } from '../lazy.js';
import { onConfirmed } from '../outbox.js';
import { go } from '../routes.js';
import { state } from '../store.js';
import { texts } from '../texts.js';
import { isInstalled } from '../worker.js';
import { toast } from './toast.js';

const KEY = 'campfire.asked.';
/** Without a message of one's own it is asked after this time. */
const AFTER_MS = 120000;

const push = () => lazy(() => import('../push.js'));

function wasAsked() {
  try {
    return localStorage.getItem(KEY + state.me.id) !== null;
  } catch {
    // Where the answer cannot be kept it would be asked each time.
    return true;
  }
}

/** `on` or `no`, on this device. */
export function noteAnswer(answer) {
  try {
    localStorage.setItem(KEY + state.me.id, answer);
  } catch {
    // It is asked again at the next start.
  }
}

/** iPhones and iPads give notifications to installed apps only. */
export const needsInstall = () => !globalThis.PushManager && /iPhone|iPad|Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1 && !isInstalled();

/** The card, to be inserted once; it is hidden unless there is something to ask. `stop` ends it. */
export function askCard() {
  const element = h('section', { class: 'side-ask', 'aria-label': texts.ask.title, hidden: true });
  const close = (answer) => {
    noteAnswer(answer);
    element.hidden = true;
    stop();
  };
  const show = (words, action, act) => {
    const button = h('button', { type: 'button', class: 'button button-small button-primary', onclick: act }, action);
    fill(element, h('p', {}, icon('bell'), h('span', {}, words)), h('div', { class: 'row' }, button, h('button', { type: 'button', class: 'button button-small', onclick: () => close('no') }, texts.ask.later)));
    element.hidden = false;
  };
  const turnOn = async () => {
    const { enablePush } = await push();
    try {
      await enablePush();
      close('on');
      toast(texts.ask.done);
    } catch (problem) {
      toast(problem.message);
      if (Notification.permission === 'denied') close('no');
    }
  };
  const ask = async () => {
    stop();
    if (wasAsked() || !isSecureContext) return;
    if (needsInstall()) return void show(texts.ask.install, texts.ask.how, () => { close('no'); go('/settings/about'); });
    const { pushState } = await push();
    if (await pushState().catch(() => null) === 'off' && !wasAsked()) show(texts.ask.words, texts.ask.yes, turnOn);
  };
  const timer = setTimeout(ask, AFTER_MS);
  const stopListening = onConfirmed(ask);
  const stop = () => {
    clearTimeout(timer);
    stopListening();
  };
  return { element, stop };
}
