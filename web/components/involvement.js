// How much one is notified of a room.

import { put } from '../api.js';
import { noteInvolvement, state } from '../store.js';
import { texts } from '../texts.js';
import { openMenu } from './menu.js';
import { toast } from './toast.js';

export const INVOLVEMENTS = ['mentions', 'everything', 'nothing', 'invisible'];
export const BELLS = { mentions: 'bell', everything: 'bellAll', nothing: 'bellOff', invisible: 'eyeOff' };

export async function setInvolvement(room, involvement) {
  // The event may come before the answer.
  const before = state.rooms.get(room.id)?.membership.involvement;
  try {
    await put(`/api/rooms/${room.id}/involvement`, { involvement });
    noteInvolvement(room.id, involvement);
    const undo = before && before !== involvement ? { action: texts.common.undo, onaction: () => setInvolvement(room, before) } : {};
    toast(texts.room.involvementSet[involvement], undo);
  } catch (problem) {
    toast(problem.message);
  }
}

export function involvementMenu(anchor, room) {
  openMenu(anchor, INVOLVEMENTS.map((involvement) => ({
    label: texts.room.involvement[involvement], icon: BELLS[involvement], checked: room.membership.involvement === involvement, onclick: () => setInvolvement(room, involvement),
  })));
}
