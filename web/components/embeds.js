// Link previews, a card each. Their author may remove them.

import { remove } from '../api.js';
import { h, iconButton } from '../dom.js';
import { state } from '../store.js';
import { texts } from '../texts.js';
import { toast } from './toast.js';

export function embedsElement(message) {
  const { embeds } = message;
  return embeds?.length ? h('div', { class: 'embeds' }, embeds.map((embed, place) => framed(message, embed, place))) : null;
}

/** X has two hosts, and pages there name either. */
const address = (url) => {
  try {
    const { host, pathname, search, hash, protocol } = new URL(url);
    return `${protocol}//${host.replace(/^(?:www\.|mobile\.)?(?:twitter|x)\.com$/, 'x.com')}${pathname}${search}${hash}`;
  } catch {
    return url;
  }
};

/** Whether the text is nothing but the link whose preview stands below it. */
export function isUnderPreview({ embeds, edited_at: edited, kind }, text) {
  if (kind !== 'text' || edited || embeds?.length !== 1 || !embeds[0].title) return false;
  const links = text.querySelectorAll('a[href]');
  if (links.length !== 1 || text.querySelector('img, pre, li, blockquote, table')) return false;
  const shown = text.textContent.trim();
  const isBare = shown === links[0].textContent.trim() && /^https?:\/\/\S+$/i.test(shown);
  return isBare && address(links[0].href) === address(embeds[0].url);
}

function framed(message, embed, place) {
  const isMine = message.creator_id === state.me?.id;
  const drop = isMine ? iconButton('close', texts.message.removePreview(embed.title || embed.url), () => dismiss(message, place, drop), { class: 'icon-button embed-drop' }) : null;
  return h('div', { class: 'embed-frame' }, card(embed), drop);
}

async function dismiss(message, place, button) {
  button.disabled = true;
  try {
    // The event takes it out of the page, here and elsewhere.
    await remove(`/api/messages/${message.id}/embeds/${place}`);
  } catch (problem) {
    button.disabled = false;
    if (problem.status !== 404) toast(problem.message);
  }
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
