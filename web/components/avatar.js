// A user's picture, or initials on the user's colour.

import { h } from '../dom.js';

/** Up to this size the small picture is sharp at two pixels per CSS pixel. */
const SMALL = 48;
const PIXELS = { tiny: 28, small: 34, medium: 40, large: 72, huge: 128 };

/** `size` is tiny, small, medium, large or huge. It is hidden from screen readers: the name is beside it. */
export function avatar(user, { size = 'medium', online = false } = {}) {
  const pixels = PIXELS[size];
  const url = user.avatar_url;
  const element = h('span', { class: `avatar avatar-${size}${url ? ' has-picture' : ''}${online ? ' is-online' : ''}${user.role === 'bot' ? ' is-bot' : ''}`, 'aria-hidden': 'true' },
    url ? h('img', { src: pixels > SMALL ? url : `${url}&size=small`, alt: '', width: pixels, height: pixels, loading: 'lazy', decoding: 'async', draggable: 'false' }) : user.initials);
  // The content security policy forbids style attributes in markup, not through the DOM.
  if (!url && user.color) element.style.setProperty('--person', user.color);
  return element;
}
