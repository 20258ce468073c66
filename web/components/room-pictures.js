// The lightbox for the pictures of a room.

import { lazy } from '../lazy.js';
import { person } from '../store.js';
import { isPicture } from './attachment.js';

/** Opens the picture of a message; the others of these messages are beside it. */
export async function openPicture(messages, id) {
  const shown = messages.filter((message) => isPicture(message.attachment));
  const items = shown.map((message) => ({ ...message.attachment, author: person(message.creator_id), created_at: message.created_at, message_id: message.id, room_id: message.room_id }));
  const { openLightbox } = await lazy(() => import('./lightbox.js'));
  openLightbox(items, shown.findIndex((message) => message.id === id));
}
