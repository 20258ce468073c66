// The lightbox: one picture over the page, with the previous and next ones.

import { copyText } from '../clipboard.js';
import { fill, h, iconButton } from '../dom.js';
import { fullTime } from '../format.js';
import { icon } from '../icons.js';
import { go } from '../routes.js';
import { texts } from '../texts.js';
import { shownName } from './attachment.js';
import { zoomable } from './zoom.js';

/** How far a finger moves before the picture follows. */
const SWIPED = 60;

const shareable = () => typeof navigator.share === 'function';

/** `items` are `{url, thumbnail_url, filename, content_type, byte_size, width, height, author, created_at, message_id, room_id}`, oldest first. */
export function openLightbox(items, index) {
  let place = Math.max(0, Math.min(index, items.length - 1));
  let after = null;
  let zoom = null;
  const stage = h('div', { class: 'lightbox-stage' });
  const author = h('b', {});
  const time = h('small', {});
  const counter = h('span', { class: 'lightbox-count', 'aria-live': 'polite' });
  const back = iconButton('back', texts.media.previous, () => step(-1), { class: 'icon-button lightbox-step is-back' });
  const on = iconButton('chevronRight', texts.media.next, () => step(1), { class: 'icon-button lightbox-step is-on' });
  const smaller = iconButton('zoomOut', texts.media.zoomOut, () => zoom.by(1 / 1.5));
  const larger = iconButton('zoomIn', texts.media.zoomIn, () => zoom.by(1.5));
  const download = h('a', { class: 'icon-button' }, icon('download'));
  const share = iconButton(shareable() ? 'share' : 'link', shareable() ? texts.media.share : texts.media.copyLink, () => shareItem(items[place]));
  const close = iconButton('close', texts.common.close, () => dialog.close(), { autofocus: true });
  const dialog = h('dialog', { class: 'lightbox', 'aria-label': texts.media.pictures },
    h('header', { class: 'lightbox-head' }, h('div', { class: 'lightbox-caption' }, author, time), counter,
      h('div', { class: 'lightbox-tools' }, smaller, larger, iconButton('message', texts.media.toMessage, () => { after = () => go(`/rooms/${items[place].room_id}/@${items[place].message_id}`); dialog.close(); }, { class: 'icon-button lightbox-to' }), share, download, close)),
    stage, back, on);

  const step = (by) => {
    if (!items[place + by]) return;
    // At the end the button is disabled: the focus stays in the lightbox.
    const held = document.activeElement;
    place += by;
    draw();
    if (held?.disabled) close.focus();
  };

  const draw = () => {
    const item = items[place];
    const name = shownName(item.filename);
    zoom?.stop();
    const image = pictureOf(item, stage);
    fill(stage, image);
    zoom = zoomable(stage, image, { onchange: (scale, limits) => { smaller.disabled = scale <= limits.least; larger.disabled = scale >= limits.most; } });
    author.textContent = item.author?.name || item.author || '';
    time.textContent = fullTime(new Date(item.created_at));
    counter.textContent = texts.media.picture(place + 1, items.length);
    counter.hidden = items.length < 2;
    back.hidden = on.hidden = items.length < 2;
    back.disabled = place === 0;
    on.disabled = place === items.length - 1;
    download.href = `${item.url}${item.url.includes('?') ? '&' : '?'}download=1`;
    download.download = name;
    download.title = texts.media.download(name);
    download.setAttribute('aria-label', download.title);
    // The neighbours are loaded in advance.
    for (const near of [items[place + 1], items[place - 1]]) if (near) new Image().src = near.url;
  };

  dialog.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const forward = getComputedStyle(dialog).direction === 'rtl' ? -1 : 1;
    if (event.key === 'ArrowRight') step(forward);
    else if (event.key === 'ArrowLeft') step(-forward);
    else if (event.key === 'Home') step(-place);
    else if (event.key === 'End') step(items.length - 1 - place);
    else if (event.key === '+' || event.key === '=') zoom.by(1.5);
    else if (event.key === '-') zoom.by(1 / 1.5);
    else if (event.key === '0') zoom.reset();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  stage.addEventListener('zoomswipe', ({ detail: { x, y } }) => {
    const forward = getComputedStyle(dialog).direction === 'rtl' ? -1 : 1;
    if (y > SWIPED && y > Math.abs(x)) dialog.close();
    else if (Math.abs(x) > SWIPED) step(x < 0 ? forward : -forward);
  });
  stage.addEventListener('zoomoutside', () => dialog.close());
  dialog.addEventListener('click', ({ target }) => { if (target === dialog) dialog.close(); });

  leaveByBack(dialog, () => after?.());
  document.body.append(dialog);
  dialog.showModal();
  draw();
  return () => dialog.close();
}

/** The picture as large as possible, its thumbnail first. */
function pictureOf(item, stage) {
  const image = h('img', { class: 'lightbox-picture', src: item.thumbnail_url || item.url, alt: shownName(item.filename), draggable: 'false' });
  const fit = () => {
    const { width, height } = item.width ? item : { width: image.naturalWidth, height: image.naturalHeight };
    if (!width || !stage.clientWidth) return;
    const scale = Math.min(1, stage.clientWidth / width, stage.clientHeight / height);
    image.style.inlineSize = `${Math.round(width * scale)}px`;
    image.style.blockSize = `${Math.round(height * scale)}px`;
  };
  image.addEventListener('load', fit);
  image.addEventListener('error', () => {
    if (image.getAttribute('src') === item.url) image.replaceWith(h('p', { class: 'lightbox-broken' }, texts.media.broke));
    else image.src = item.url;
  });
  if (item.thumbnail_url && item.thumbnail_url !== item.url) {
    const whole = new Image();
    whole.src = item.url;
    whole.decode().then(() => { image.src = item.url; }, () => {});
  }
  new ResizeObserver(fit).observe(stage);
  return image;
}

/** The back button closes it without leaving the page. `closed` is called afterwards. */
function leaveByBack(dialog, closed) {
  const before = document.activeElement;
  history.pushState({ lightbox: true }, '');
  let left = false;
  const gone = (event) => {
    // The router must not see it: the page behind has not changed.
    event.stopImmediatePropagation();
    removeEventListener('popstate', gone, true);
    left = true;
    if (dialog.open) dialog.close();
    else closed();
  };
  addEventListener('popstate', gone, true);
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (before?.isConnected) before.focus({ preventScroll: true });
    if (left) closed();
    else history.back();
  });
}

/** Shares the file if possible, otherwise the message's address. */
async function shareItem(item) {
  const address = `${location.origin}/rooms/${item.room_id}/@${item.message_id}`;
  if (!shareable()) return void copyText(address);
  try {
    const response = await fetch(item.url);
    // Something in front of the server may have answered in its place.
    if (!response.ok || /^text\/html\b/.test(response.headers.get('content-type'))) throw new Error('not the picture');
    const blob = await response.blob();
    const files = [new File([blob], shownName(item.filename), { type: item.content_type })];
    await navigator.share(navigator.canShare?.({ files }) ? { files } : { url: address });
  } catch (error) {
    // Cancelled by the user.
    if (error.name !== 'AbortError') copyText(address);
  }
}
