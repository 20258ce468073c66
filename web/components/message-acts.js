// Which actions a message allows, and the simple ones.

import { copyText } from '../clipboard.js';
import { state } from '../store.js';

export const mayChange = (message) => message.creator_id === state.me.id || state.me.role === 'admin';
export const mayEdit = (message) => mayChange(message) && (message.kind === 'text' || message.kind === 'attachment');

export const copyLink = (message) => copyText(`${location.origin}/rooms/${message.room_id}/@${message.id}`);

/** The text as it is read: mentions by name. */
export const copyWords = (message) => copyText(message.content.replace(/@\[([^\]]*)\]\(user:\d+\)/g, '@$1'));
