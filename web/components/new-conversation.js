// Starting a conversation: with people, or in a new room.

import { post } from '../api.js';
import { atHand } from '../lazy.js';
import { go } from '../routes.js';
import { putRoom } from '../store.js';
import { toast } from './toast.js';

/** Opens the direct room with these people. */
export async function startDirect(ids) {
  try {
    const room = await post('/api/rooms', { kind: 'direct', user_ids: ids });
    putRoom(room);
    go(`/rooms/${room.id}`);
  } catch (problem) {
    toast(problem.message);
  }
}

export const newRoom = async () => (await atHand()).newRoom();
export const pingSomebody = async () => (await atHand()).pingSomebody();
