// The list of rooms, by name. Unread ones are bold with a dot; a number shows mentions.

import { fill, h, heard, iconButton } from '../dom.js';
import { hasDraft } from '../drafts.js';
import { icon } from '../icons.js';
import { isGuest, mayMakeRooms } from '../rights.js';
import { callsIn, hiddenInOrder, isQuiet, isUnread, roomHere, sharedInOrder } from '../rooms.js';
import { roomName, state } from '../store.js';
import { texts } from '../texts.js';
import { newRoom } from './new-conversation.js';
import { Kept, reconcile } from './reconcile.js';
import { sideSection } from './side-section.js';

/** `{element, draw(topics)}`. */
export function roomsSection() {
  const list = h('ul', { class: 'rooms' });
  const empty = h('p', { class: 'side-empty', hidden: true });
  const kept = new Kept();
  const section = sideSection('rooms', texts.side.rooms, h('div', {}, list, empty), {
    action: iconButton('plus', texts.side.newRoom, newRoom, { class: 'icon-button new-room' }),
    onfold: () => draw(),
  });

  function draw() {
    const here = roomHere();
    const rooms = sharedInOrder();
    const shown = section.folded ? rooms.filter((room) => isUnread(room)) : rooms;
    reconcile(list, kept.of(shown.map((room) => roomEntry(room, here))));
    section.action.hidden = !mayMakeRooms();
    empty.hidden = section.folded || rooms.length > 0 || hiddenInOrder().length > 0;
    empty.textContent = mayMakeRooms() ? texts.side.noRooms : isGuest() ? texts.side.noRoomsGuest : texts.side.noRoomsMember;
  }

  return { element: section.element, draw };
}

/** The hidden rooms. `{element, draw(topics)}`. */
export function hiddenSection() {
  const list = h('ul', { class: 'rooms' });
  const kept = new Kept();
  const section = sideSection('hidden', texts.side.hidden, list, { startsFolded: true, onfold: () => draw() });

  function draw() {
    const here = roomHere();
    const rooms = hiddenInOrder();
    section.element.hidden = rooms.length === 0;
    // The room that is open is shown even if the section is folded.
    reconcile(list, kept.of(rooms.filter((room) => !section.folded || room.id === here).map((room) => roomEntry(room, here))));
  }

  return { element: section.element, draw };
}

function roomEntry(room, here) {
  const isHere = room.id === here;
  const unread = isUnread(room);
  const mentions = callsIn(room);
  const quiet = isQuiet(room) && room.membership.involvement === 'nothing';
  const closed = room.kind === 'closed';
  const name = roomName(room);
  const draft = !isHere && hasDraft(room.id);
  return {
    key: room.id,
    signature: [name, isHere, unread, mentions, quiet, closed, draft].join('|'),
    make: () => h('li', {}, h('a', { href: `/rooms/${room.id}` })),
    update: (line) => {
      const link = line.firstElementChild;
      link.className = `room${unread ? ' is-unread' : ''}${isHere ? ' is-here' : ''}`;
      if (isHere) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
      fill(link, h('bdi', { class: 'room-name', translate: 'no' }, name),
        closed ? [icon('lock'), heard(texts.side.closed)] : null, quiet ? [icon('bellOff'), heard(texts.side.quiet)] : null, draft ? [icon('edit'), heard(texts.side.draft)] : null, badge(unread, mentions));
    },
  };
}

function badge(unread, mentions) {
  if (mentions > 0) return [h('span', { class: 'badge', 'aria-hidden': 'true' }, mentions > 99 ? '99+' : mentions), heard(texts.side.mentions(mentions))];
  return unread ? [h('span', { class: 'dot' }), heard(texts.side.unread)] : null;
}
