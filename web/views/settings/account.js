// The account: name, logo, and settings for everybody.

import { patch, put, remove } from '../../api.js';
import { confirmDialog } from '../../components/dialog.js';
import { choice, field, form, toggle } from '../../components/field.js';
import { toast } from '../../components/toast.js';
import { fill, h, onTouch } from '../../dom.js';
import { icon } from '../../icons.js';
import { lazy } from '../../lazy.js';
import { changed, state, watch } from '../../store.js';
import { texts } from '../../texts.js';
import { exporting } from './about.js';
import { pictureField } from './picture-field.js';
import { block, page, picker } from './parts.js';

const LOGO_SIDE = 512;
const USUAL_DAYS = 365;
const MOST_DAYS = 36500;

function keep(account) {
  state.account = { ...state.account, ...account };
  changed('account');
}

export function account(signal) {
  const words = texts.admin.account;
  return page('account', words.lead,
    form([field('name', words.name, { '.value': state.account.name, maxlength: 100, autocomplete: 'organization', dir: 'auto' }, words.nameHint)],
      texts.common.save, async ({ name }) => keep(await patch('/api/account', { name })), { done: texts.common.saved }),
    block(words.logo, '', logo(signal)),
    block(words.rules, '', rule('restrict_room_creation', words.restrict, words.restrictHint), rule('members_may_invite', words.membersInvite, words.membersInviteHint),
      rule('members_see_join_link', words.membersJoinLink, words.membersJoinLinkHint), secondStepOf()),
    block(words.retention, words.retentionLead, retention()), exporting());
}

const rule = (name, label, hint) => toggle(label, Boolean(state.account.settings[name]), async (on) => {
  keep(await patch('/api/account', { settings: { [name]: on } }));
  toast(texts.common.saved);
}, hint);

/** Of whom a second step is required. */
function secondStepOf() {
  const words = texts.admin.account;
  return picker('second_factor', words.secondStep, Object.entries(words.secondStepOf), { value: state.account.settings.second_factor || 'nobody', hint: words.secondStepHint, onchange: async (wanted) => {
    try {
      keep(await patch('/api/account', { settings: { second_factor: wanted } }));
      toast(texts.common.saved);
    } catch (problem) {
      toast(problem.message);
    }
  } });
}

function logo(signal) {
  const words = texts.admin.account;
  const picture = h('span', {});
  const removal = h('button', { type: 'button', class: 'button button-small', onclick: async () => {
    try {
      await remove('/api/account/logo');
      keep({ logo_url: null });
      toast(words.logoRemoved);
    } catch (problem) {
      toast(problem.message);
    }
  } }, words.removeLogo);
  const draw = () => {
    const { logo_url: url } = state.account;
    fill(picture, h('span', { class: `settings-logo ${url ? '' : 'is-flame'}` }, url ? h('img', { src: url, alt: words.logo, width: 96, height: 96 }) : icon('flame')));
    removal.hidden = !url;
  };
  draw();
  signal.addEventListener('abort', watch(['account'], draw));
  return pictureField({ picture, label: words.changeLogo, hint: onTouch() ? words.logoHintTouch : words.logoHint, more: removal, paste: signal, take: async (file) => {
    const { asBlob, readPicture } = await lazy(() => import('../../components/crop.js'));
    // Redrawn in the browser: any picture that it can read will do, and a large one is scaled down before it is sent.
    keep(await put('/api/account/logo', await asBlob(await readPicture(file, LOGO_SIDE))));
    toast(words.logoSaved);
  } });
}

function retention() {
  const words = texts.admin.account;
  const { retention_days: days } = state.account.settings;
  const count = field('retention_days', words.days, { type: 'number', min: 1, max: MOST_DAYS, step: 1, inputmode: 'numeric', '.value': days || USUAL_DAYS }, words.daysHint);
  count.hidden = !days;
  const kind = (value, label, hint) => choice('radio', 'keep', label, { value, '.checked': (value === 'some') === Boolean(days), onchange: () => { count.hidden = value !== 'some'; } }, hint);
  const save = async (wanted) => keep(await patch('/api/account', { settings: { retention_days: wanted } }));
  const element = form([h('fieldset', { class: 'choices' }, h('legend', { class: 'heard' }, words.retention), kind('all', words.keepAll, words.keepAllHint), kind('some', words.keepSome, words.keepSomeHint)), count],
    texts.common.save, async ({ keep, retention_days: given }) => {
      const before = state.account.settings.retention_days;
      if (keep === 'all') return save(null);
      const wanted = Number(given);
      if (!Number.isInteger(wanted) || wanted < 1 || wanted > MOST_DAYS) throw Object.assign(new Error(words.daysWrong), { fields: { retention_days: [words.daysWrong] } });
      if (before && wanted >= before) return save(wanted);
      return asked(wanted, () => save(wanted));
    }, { done: texts.common.saved });
  return element;
}

/** Asks before messages are deleted; resolves when the question is answered. */
function asked(days, save) {
  const words = texts.admin.account;
  return new Promise((done, refused) => {
    let isDone = false;
    confirmDialog(words.confirmDays(days), words.confirmDaysButton, async () => {
      await save();
      isDone = true;
    }, { detail: words.confirmDaysDetail(days) });
    document.querySelector('dialog:last-of-type').addEventListener('close', () => (isDone ? done() : refused(new Error(words.notSaved))));
  });
}
