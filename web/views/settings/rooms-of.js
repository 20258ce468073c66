// The rooms that bots and webhooks can post to.

import { compareNames } from '../../format.js';
import { state } from '../../store.js';

export const sharedRooms = () => [...state.rooms.values()].filter((room) => room.kind !== 'direct').sort((a, b) => compareNames(a.name, b.name));
