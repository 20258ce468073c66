// A person's face: the picture, or initials on a colour of their own.

import { h } from '../dom.js';
import { colourOf, initials } from '../format.js';

/** Up to here the small picture is sharp also where there are two pixels for one. */
const SMALL = 48;
const PIXELS = { tiny: 28, small: 34, medium: 40, large: 72, huge: 128 };

/** `size` is tiny, small, medium, large or huge. It says nothing to a screen reader: the name stands beside it. */
export function avatar(user, { size = 'medium', online = false } = {}) {
  const pixels = PIXELS[size];
  return h('span', { class: `avatar avatar-${size} ${user.avatar_url ? 'has-picture' : colourOf(user.id)}${online ? ' is-online' : ''}${user.role === 'bot' ? ' is-bot' : ''}`, 'aria-hidden': 'true' },
    user.avatar_url ? h('img', { src: pixels > SMALL ? user.avatar_url : `${user.avatar_url}&size=small`, alt: '', width: pixels, height: pixels, loading: 'lazy', decoding: 'async', draggable: 'false' }) : initials(user.name));
}
