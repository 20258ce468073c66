// The join link, which stays, and invitations, which end.

import { get, post } from '../../api.js';
import { confirmDialog } from '../../components/dialog.js';
import { onlyHere } from '../../components/room-welcome.js';
import { toast } from '../../components/toast.js';
import { h, sanitised } from '../../dom.js';
import { isAdmin, makesInvitations, seesJoinLink } from '../../rights.js';
import { state } from '../../store.js';
import { texts } from '../../texts.js';
import { invitations } from './invitations.js';
import { block, copyLine, loaded, page, shareButton } from './parts.js';

export function invite() {
  const words = texts.admin.invite;
  return page('invite', words.lead, seesJoinLink() ? joinLink() : null, makesInvitations() ? invitations() : null);
}

function joinLink() {
  const words = texts.admin.invite;
  const { element, refresh } = loaded(() => get('/api/account'), ({ join_code: code, join_url: url, qr_svg: qr }) => {
    const link = url || `${location.origin}/join/${code}`;
    return [
      h('div', { class: 'settings-qr' }, qr ? h('div', { class: 'qr', role: 'img', 'aria-label': words.qr }, sanitised(qr)) : null,
        h('div', { class: 'settings-qr-text' }, h('p', {}, words.how), h('p', { class: 'field-hint' }, words.howMuch))),
      copyLine(words.link, link), onlyHere(link) ? h('p', { class: 'field-hint' }, texts.room.onlyHere) : null, h('div', { class: 'row' }, shareButton(words.shareTitle(state.account.name), link))];
  });
  return [element, isAdmin() ? block(words.renew, words.renewLead, h('div', { class: 'row' }, h('button', { type: 'button', class: 'button', onclick: () => confirmDialog(words.confirm, words.renewButton, async () => {
    const { join_code: code } = await post('/api/account/join_code');
    state.account = { ...state.account, join_code: code };
    toast(words.renewed);
    refresh();
  }, { detail: words.confirmDetail }) }, words.renewButton))) : null];
}
