// The rooms in the order of the sidebar, what is unread in them, and which were visited last.

import { compareNames } from './format.js';
import { roomName, state } from './store.js';

const VISITS = 'campfire.visits';
const MOST_VISITS = 12;
const DAY_MS = 86400000;

export const isHidden = (room) => room.membership.involvement === 'invisible';
export const isQuiet = (room) => isHidden(room) || room.membership.involvement === 'nothing';
export const isUnread = (room) => !isQuiet(room) && room.membership.unread_count > 0;
/** How often somebody has called me here: each message of a direct room is meant for me. */
export const callsIn = (room) => (isQuiet(room) ? 0 : room.kind === 'direct' && room.membership.involvement === 'everything' ? room.membership.unread_count : room.membership.mention_count);

/** For ordering. A new direct room comes first though it has no messages. */
function lastSaid(room) {
  return room.last_message_id || (Date.now() - Date.parse(room.created_at) < DAY_MS ? Infinity : 0);
}

/** A direct room that somebody else opened is shown once something was said in it, or it is open. */
const isBegun = (room) => Boolean(room.last_message_id || room.membership.last_read_message_id) || room.creator_id === state.me.id || room.id === roomHere();

/** Direct rooms, by their newest message. */
export function directsInOrder() {
  return [...state.rooms.values()].filter((room) => room.kind === 'direct' && !isHidden(room) && isBegun(room)).sort((a, b) => (lastSaid(a) === lastSaid(b) ? b.id - a.id : lastSaid(b) - lastSaid(a)));
}

/** Open and closed rooms, by name. */
export function sharedInOrder() {
  return [...state.rooms.values()].filter((room) => room.kind !== 'direct' && !isHidden(room)).sort((a, b) => compareNames(a.name, b.name));
}

/** Rooms that are hidden from the list. */
export function hiddenInOrder() {
  return [...state.rooms.values()].filter(isHidden).sort((a, b) => compareNames(roomName(a), roomName(b)));
}

/** The id of the room in the address; 0 if there is none. */
export function roomHere() {
  return Number(/^\/rooms\/(\d+)(?:\/|$)/.exec(location.pathname)?.[1] || 0);
}

/** Rooms that were visited on this device, the last one first. */
export function visits() {
  try {
    return JSON.parse(localStorage.getItem(VISITS) || '[]').filter((id) => state.rooms.has(id));
  } catch {
    return [];
  }
}

export function noteVisit(id) {
  try {
    localStorage.setItem(VISITS, JSON.stringify([id, ...visits().filter((other) => other !== id)].slice(0, MOST_VISITS)));
  } catch {
    // Without storage the first room of the list is the usual one.
  }
}

/** The room to open first: the one visited last, or the first of the list. */
export function usualRoom() {
  return visits()[0] || (sharedInOrder()[0] || directsInOrder()[0])?.id;
}

/** The next unread room from here, in the order of the list; `step` is 1 or -1. */
export function nextUnread(step) {
  const all = [...directsInOrder(), ...sharedInOrder()];
  const here = all.findIndex((room) => room.id === roomHere());
  const start = here < 0 && step < 0 ? all.length : here;
  for (let tried = 1; tried <= all.length; tried += 1) {
    const room = all[(start + step * tried + all.length * 2) % all.length];
    if (room && isUnread(room) && room.id !== roomHere()) return room;
  }
  return null;
}
