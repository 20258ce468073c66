// What the viewer may do. The server decides; the page only leaves out what it would refuse.

import { state } from './store.js';

export const isAdmin = () => state.me.role === 'admin';
export const isGuest = () => state.me.role === 'guest';

const rule = (name) => Boolean(state.account?.settings?.[name]);

export const mayMakeRooms = () => isAdmin() || (!isGuest() && !rule('restrict_room_creation'));
export const mayChangeRoom = (room) => isAdmin() || (!isGuest() && room.creator_id === state.me.id);
/** Everybody is in an open room, but guests come and go. */
export const mayLeave = (room) => room.kind === 'closed' || (room.kind === 'open' && isGuest());
export const seesJoinLink = () => isAdmin() || (!isGuest() && rule('members_see_join_link'));
export const makesInvitations = () => isAdmin() || (!isGuest() && rule('members_may_invite'));
export const mayInvite = () => seesJoinLink() || makesInvitations();
