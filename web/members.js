// The members of rooms, and who can be mentioned.

import { get } from './api.js';
import { compareNames } from './format.js';
import { changed, person, state } from './store.js';

export async function membersOf(room) {
  if (room.kind === 'direct') return room.member_ids.map(person);
  return (await get(`/api/rooms/${room.id}/members`)).members;
}

/** The members of closed rooms: `{asOf, ids}`. Everybody is in an open one. */
const inside = new Map();

/** Fetches the members of a closed room, unless they are known and current. */
export function learnMembers(room) {
  if (room.kind !== 'closed' || inside.get(room.id)?.asOf === room.updated_at) return;
  inside.set(room.id, { asOf: room.updated_at, ids: inside.get(room.id)?.ids || [] });
  membersOf(room).then((members) => {
    inside.set(room.id, { asOf: room.updated_at, ids: members.map((user) => user.id) });
    changed('members');
  }, () => inside.delete(room.id));
}

/** A program that only posts, as an incoming webhook does: nobody writes to it. */
export const onlyPosts = (user) => Boolean(user.posts_only);

const isPerson = (user) => user.status === 'active' && user.role !== 'bot';

/** How many people are in a room. Bots and webhooks are none. */
export function peopleIn(room) {
  if (room.kind === 'open') return [...state.users.values()].filter(isPerson).length;
  const ids = room.member_ids || inside.get(room.id)?.ids;
  return ids?.length ? ids.map(person).filter(isPerson).length : room.member_count;
}

/** The users who can be mentioned; those who wrote last come first. */
export function mentionable(room, messages) {
  if (!room) return [];
  const ids = room.member_ids || (room.kind === 'closed' ? inside.get(room.id)?.ids || [] : [...state.users.keys()]);
  const spoke = new Map(messages.map((message) => [message.creator_id, message.id]));
  return ids.map(person).filter((user) => user.status === 'active' && user.id !== state.me.id && !onlyPosts(user))
    .sort((a, b) => (spoke.get(b.id) || 0) - (spoke.get(a.id) || 0) || compareNames(a.name, b.name));
}
