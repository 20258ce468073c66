// How much one is notified of a room.

import { put } from '../api.js';
import { noteInvolvement } from '../store.js';
import { texts } from '../texts.js';
import { openMenu } from './menu.js';
import { toast } from './toast.js';

/** In the order in which the button cycles through them. */
export const INVOLVEMENTS = ['mentions', 'everything', 'nothing', 'invisible'];
export const BELLS = { mentions: 'bell', everything: 'bellAll', nothing: 'bellOff', invisible: 'eyeOff' };

export async function setInvolvement(room, involvement) {
  try {
    await put(`/api/rooms/${room.id}/involvement`, { involvement });
    noteInvolvement(room.id, involvement);
    toast(texts.room.involvementSet[involvement]);
  } catch (problem) {
    toast(problem.message);
  }
}

export function nextInvolvement(room) {
  const next = INVOLVEMENTS[(INVOLVEMENTS.indexOf(room.membership.involvement) + 1) % INVOLVEMENTS.length];
  return setInvolvement(room, next);
}

export function involvementMenu(anchor, room) {
  openMenu(anchor, INVOLVEMENTS.map((involvement) => ({
    label: texts.room.involvement[involvement], icon: BELLS[involvement], checked: room.membership.involvement === involvement, onclick: () => setInvolvement(room, involvement),
  })));
}
