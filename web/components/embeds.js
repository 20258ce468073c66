// Link previews, a card each.

import { h } from '../dom.js';

export function embedsElement({ embeds }) {
  return embeds?.length ? h('div', { class: 'embeds' }, embeds.map(card)) : null;
}

/** The image's space is reserved before it loads; if it fails, the space goes too. */
function card(embed) {
  const picture = embed.image_url ? h('img', { class: 'embed-image', src: embed.image_url, alt: '', width: 96, height: 72, loading: 'lazy', decoding: 'async', onerror: () => picture.remove() }) : null;
  return h('a', { class: 'embed', href: embed.url, target: '_blank', rel: 'noopener noreferrer' }, picture,
    h('span', { class: 'embed-words', dir: 'auto' },
      embed.site_name ? h('small', { class: 'embed-site' }, embed.site_name) : null,
      h('b', { class: 'embed-title' }, embed.title || embed.url),
      embed.description ? h('span', { class: 'embed-description' }, embed.description) : null));
}
