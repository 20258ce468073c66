// A person's face: the picture, or the initials on the person's colour.

import { h } from '../dom.js';

/** Up to here the small picture is sharp also where there are two pixels for one. */
const SMALL = 48;
const PIXELS = { tiny: 28, small: 34, medium: 40, large: 72, huge: 128 };

/** `size` is tiny, small, medium, large or huge. It says nothing to a screen reader: the name stands beside it. */
export function avatar(user, { size = 'medium', online = false } = {}) {
  const pixels = PIXELS[size];
  const url = user.avatar_url;
  const element = h('span', { class: `avatar avatar-${size}${url ? ' has-picture' : ''}${online ? ' is-online' : ''}${user.role === 'bot' ? ' is-bot' : ''}`, 'aria-hidden': 'true' },
    url ? h('img', { src: pixels > SMALL ? url : `${url}&size=small`, alt: '', width: pixels, height: pixels, loading: 'lazy', decoding: 'async', draggable: 'false' }) : user.initials);
  // The page's policy allows no style attribute in markup; through the DOM it is allowed.
  if (!url && user.color) element.style.setProperty('--person', user.color);
  return element;
}
