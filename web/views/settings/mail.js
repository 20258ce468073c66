// Mails about what I have not read: when I get them, and whether my address takes them.

import { get, post, put, remove } from '../../api.js';
import { toast } from '../../components/toast.js';
import { h } from '../../dom.js';
import { icon } from '../../icons.js';
import { state } from '../../store.js';
import { texts } from '../../texts.js';
import { actionButton, block, loaded, nothing, picker, timeOfDay } from './parts.js';

/** Nothing where the server sends no mail. */
export function mails() {
  if (!state.limits.sends_mail) return null;
  const words = texts.settings.notifications.mail;
  const shown = loaded(() => get('/api/mail'), (mail) => (mail.email ? content(mail, shown.refresh) : nothing('bellOff', words.noAddress)), { lines: 1 });
  return block(words.title, words.lead, shown.element);
}

function content({ wish, after_s: seconds, daily_at: daily, email, refusal }, refresh) {
  const words = texts.settings.notifications.mail;
  const options = [['at_once', words.atOnce], ['away', words.away(Math.max(1, Math.round(seconds / 60)))], ['daily', words.daily(timeOfDay(daily))], ['never', words.never]];
  const pick = picker('mail', words.when, options, { value: wish, hint: words.whenHint(email), onchange: async (wanted) => {
    const wrong = pick.querySelector('.field-error');
    wrong.textContent = '';
    try {
      await put('/api/mail', { wish: wanted });
      toast(texts.common.saved);
    } catch (problem) {
      wrong.textContent = problem.message;
      pick.querySelector('select').value = wish;
    }
  } });
  return [pick, refusal ? refused(refusal, refresh) : h('div', { class: 'row' }, actionButton(words.test, async () => {
    await post('/api/mail/test');
    toast(words.tested(email));
  }))];
}

/** What the mail server said of my address, and what to do about it. */
function refused({ reason }, refresh) {
  const words = texts.settings.notifications.mail;
  return h('div', { class: 'settings-mail-refused' },
    h('p', { class: 'settings-refused' }, icon('warning'), h('span', {}, words.refused, ' ', h('q', { dir: 'auto' }, reason))), h('p', { class: 'field-hint' }, words.refusedHow),
    actionButton(words.again, async () => {
      await remove('/api/mail/refusal');
      toast(words.againDone);
      refresh();
    }));
}
