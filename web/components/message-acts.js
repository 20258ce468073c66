// Which actions a message allows, and the simple ones.

import { copyText } from '../clipboard.js';
import { person, state } from '../store.js';

const isMine = (message) => message.creator_id === state.me.id;
/** Nobody rewrites another's words; an administrator takes them away. */
export const mayRemove = (message) => isMine(message) || state.me.role === 'admin';
export const mayEdit = (message) => isMine(message) && (message.kind === 'text' || message.kind === 'attachment');

export const copyLink = (message) => copyText(`${location.origin}/rooms/${message.room_id}/@${message.id}`);

/** The text as it is read: mentions by name. */
export const copyWords = (message) => copyText(message.content.replace(/@\[(?:\\.|[^[\]\\\n]){0,200}\]\(user:(\d{1,19})\)/g, (whole, id) => `@${person(Number(id)).name}`));
