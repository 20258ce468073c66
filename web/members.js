// The members of rooms, and who can be mentioned.

import { get } from './api.js';
import { compareNames } from './format.js';
import { changed, person, state } from './store.js';

export async function membersOf(room) {
  if (room.kind === 'direct') return room.member_ids.map(person);
  return (await get(`/api/rooms/${room.id}/members`)).members;
}

/** The members of closed rooms, and of open ones where there are guests: `{asOf, ids}`. Everybody else is in an open one. */
const inside = new Map();

const isThereAGuest = () => [...state.users.values()].some((user) => user.role === 'guest');

/** Fetches the members of a room, unless they are known and current. */
export function learnMembers(room) {
  if (room.kind === 'direct' || (room.kind === 'open' && !isThereAGuest())) return;
  const asOf = `${room.updated_at} ${room.member_count}`;
  if (inside.get(room.id)?.asOf === asOf) return;
  inside.set(room.id, { asOf, ids: inside.get(room.id)?.ids || [] });
  membersOf(room).then((members) => {
    inside.set(room.id, { asOf, ids: members.map((user) => user.id) });
    changed('members');
  }, () => inside.delete(room.id));
}

/** A program that only posts, as an incoming webhook does: nobody writes to it. */
export const onlyPosts = (user) => Boolean(user.posts_only);

const isPerson = (user) => user.status === 'active' && user.role !== 'bot';

/** Who is in a room, as far as it is known. In an open one are all but guests, who see only those who are there. */
function idsIn(room) {
  const known = room.member_ids || inside.get(room.id)?.ids || [];
  if (room.kind !== 'open' || state.me.role === 'guest') return known;
  const there = new Set(known);
  return [...state.users.values()].filter((user) => user.role !== 'guest' || there.has(user.id)).map((user) => user.id);
}

/** How many people are in a room. Bots and webhooks are none. */
export function peopleIn(room) {
  const ids = idsIn(room);
  return ids.length ? ids.map(person).filter(isPerson).length : room.member_count;
}

/** The users who can be mentioned; those who wrote last come first. */
export function mentionable(room, messages) {
  if (!room) return [];
  const ids = idsIn(room);
  const spoke = new Map(messages.map((message) => [message.creator_id, message.id]));
  return ids.map(person).filter((user) => user.status === 'active' && user.id !== state.me.id && !onlyPosts(user))
    .sort((a, b) => (spoke.get(b.id) || 0) - (spoke.get(a.id) || 0) || compareNames(a.name, b.name));
}
