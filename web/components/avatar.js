// A person's face: initials on a colour of their own.

import { h } from '../dom.js';
import { colourOf, initials } from '../format.js';

export function avatar(user, { size = 'medium', online = false } = {}) {
  return h('span', { class: `avatar avatar-${size} ${colourOf(user.id)}${online ? ' is-online' : ''}`, 'aria-hidden': 'true' }, initials(user.name));
}
