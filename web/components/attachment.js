// Attachments: pictures, video, audio, files, and uploads in progress.

import { fill, h, iconButton } from '../dom.js';
import { sizeText } from '../format.js';
import { icon } from '../icons.js';
import { toReadable } from '../mentions.js';
import { texts } from '../texts.js';
import { cancelUpload, retryUpload } from '../uploads.js';

const WIDEST = 420;
const TALLEST = 320;
/** The least side of a picture, so that a finger can hit it. */
const LEAST = 48;

const PICTURE = /^image\/(png|jpeg|gif|webp|avif|bmp|x-icon|jxl)$/;
const VIDEO = /^video\//;
const AUDIO = /^audio\//;
/** Types that the server lets a browser open in a tab. */
const OPENS = /^(image\/(png|jpeg|gif|webp|avif|bmp|x-icon|jxl)|video\/.*|audio\/.*|application\/pdf|text\/plain)$/;
const ARCHIVE = /zip|gzip|7z|zstd|x-tar|rar/;
// Bidirectional control characters: they could disguise a file's type.
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A file's name without control characters that change its direction. */
export const shownName = (name) => name.replace(TURNS, '');

/** Whether it is shown as a picture, here and in the lightbox. */
export const isPicture = (attachment) => Boolean(attachment) && PICTURE.test(attachment.content_type);

export function fileIcon(type, name) {
  const named = /\.([a-z0-9]{1,8})$/i.exec(name)?.[1].toLowerCase() || '';
  if (/^image\//.test(type)) return icon('image');
  if (VIDEO.test(type)) return icon('video');
  if (AUDIO.test(type)) return icon('sound');
  if (ARCHIVE.test(type)) return icon('archive');
  if (/^text\/|pdf/.test(type) || /^(md|docx?|odt|rtf|pages)$/.test(named)) return icon('fileText');
  return icon('file');
}

/** The file's type in a few letters. */
function kindText({ content_type: type, filename }) {
  const named = /\.([a-z0-9]{1,5})$/i.exec(shownName(filename))?.[1];
  return (named || (type === 'application/octet-stream' ? texts.media.file : type.split('/')[1].replace(/^x-/, ''))).toUpperCase();
}

const downloadAddress = ({ url }) => `${url}${url.includes('?') ? '&' : '?'}download=1`;

function downloadLink(attachment) {
  const name = shownName(attachment.filename);
  return h('a', { class: 'icon-button file-download', href: downloadAddress(attachment), download: name, 'aria-label': texts.media.download(name), title: texts.media.download(name) }, icon('download'));
}

/** A file as a card with its name and size. */
function fileCard(attachment) {
  const name = shownName(attachment.filename);
  const opens = OPENS.test(attachment.content_type);
  return h('div', { class: 'file-card' },
    h('span', { class: 'file-face' }, fileIcon(attachment.content_type, name)),
    h('a', {
      class: 'file-words', href: opens ? attachment.url : downloadAddress(attachment), target: opens ? '_blank' : null, rel: 'noopener', download: opens ? null : name, title: name,
    }, h('bdi', { class: 'file-name' }, name), h('small', {}, `${kindText(attachment)} · ${sizeText(attachment.byte_size)}`)),
    downloadLink(attachment));
}

/** The size at which a picture is shown, never larger than it is. */
function placeOf({ width, height }) {
  if (!width || !height) return { width: TALLEST, height: TALLEST * 0.75 };
  const scale = Math.min(1, WIDEST / width, TALLEST / height);
  return { width: Math.max(LEAST, Math.round(width * scale)), height: Math.max(LEAST, Math.round(height * scale)) };
}

const isCalm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** The addresses to try, the smallest first. Thumbnails do not move; files from before the server told which do are GIF. */
export function sources({ url, thumbnail_url: thumbnail, content_type: type, is_animated: animated }, calm = isCalm()) {
  const moves = (animated || type === 'image/gif') && !calm;
  return [...new Set([moves ? url : thumbnail, url].filter(Boolean))];
}

function pictureElement(message, open) {
  const { attachment } = message;
  const { width, height } = placeOf(attachment);
  const name = shownName(attachment.filename);
  const tries = sources(attachment);
  const image = h('img', { src: tries.shift(), alt: name, width, height, loading: 'lazy', decoding: 'async', draggable: 'false' });
  const button = h('button', { type: 'button', class: `picture${attachment.width ? '' : ' is-unmeasured'}`, 'aria-haspopup': 'dialog', title: name, onclick: () => open?.(message.id) }, image);
  button.style.inlineSize = `${width}px`;
  button.style.aspectRatio = `${width} / ${height}`;
  image.addEventListener('load', () => button.classList.add('is-here'));
  image.addEventListener('error', () => {
    if (tries.length) image.src = tries.shift();
    else button.replaceWith(fileCard(attachment));
  });
  return button;
}

function videoElement(attachment) {
  const name = shownName(attachment.filename);
  const { width, height, thumbnail_url: poster } = attachment;
  // Without a poster the browser shows a frame: the very first one is often black.
  const video = h('video', { src: poster ? attachment.url : `${attachment.url}#t=0.1`, poster, controls: true, preload: poster ? 'none' : 'metadata', playsinline: true, 'aria-label': name });
  if (width && height) video.style.aspectRatio = `${width} / ${height}`;
  const element = h('figure', { class: 'video' }, video, caption(attachment));
  video.addEventListener('error', () => element.replaceWith(fileCard(attachment)));
  return element;
}

function audioElement(attachment) {
  const audio = h('audio', { src: attachment.url, controls: true, preload: 'none', 'aria-label': shownName(attachment.filename) });
  const element = h('figure', { class: 'audio' }, caption(attachment), audio);
  audio.addEventListener('error', () => element.replaceWith(fileCard(attachment)));
  return element;
}

/** How long it lasts: 0:07, 12:34, 1:02:03. */
export function lastsText(seconds) {
  if (!seconds) return '';
  const whole = Math.max(1, Math.round(seconds));
  const parts = whole < 3600 ? [Math.floor(whole / 60), whole % 60] : [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part, place) => (place ? String(part).padStart(2, '0') : part)).join(':');
}

function caption(attachment) {
  const name = shownName(attachment.filename);
  return h('figcaption', { class: 'media-caption' }, h('bdi', { class: 'file-name', title: name }, name), h('small', {}, [lastsText(attachment.duration_s), sizeText(attachment.byte_size)].filter(Boolean).join(' · ')), downloadLink(attachment));
}

/** The element of a message's attachment. A click on a picture calls `open(message.id)`. */
export function attachmentElement(message, { open } = {}) {
  const { attachment } = message;
  const type = attachment.content_type;
  const shown = isPicture(attachment) ? pictureElement(message, open) : VIDEO.test(type) ? videoElement(attachment) : AUDIO.test(type) ? audioElement(attachment) : fileCard(attachment);
  return h('div', { class: 'attachment' }, shown);
}

const drawn = new WeakMap();

/** The element of an upload: the same one for each item, which updates itself. */
export function uploadElement(item) {
  if (!drawn.has(item)) drawn.set(item, buildUpload(item));
  const element = drawn.get(item);
  item.show();
  return element;
}

function buildUpload(item) {
  const name = shownName(item.name);
  const bar = h('progress', { max: 100, 'aria-label': texts.media.sending(name) });
  const state = h('small', { class: 'upload-state' });
  const why = h('p', { class: 'upload-why', role: 'alert' });
  const again = h('button', { type: 'button', class: 'link', onclick: () => retryUpload(item.id) }, texts.common.retry);
  const face = item.preview_url ? h('img', { src: item.preview_url, alt: '', onerror: () => fill(holder, fileIcon(item.file.type, name)) }) : fileIcon(item.file.type, name);
  const holder = h('span', { class: 'file-face' }, face);
  const element = h('div', { class: 'upload', 'data-upload': item.id },
    item.content ? h('div', { class: 'message-text is-mine', dir: 'auto' }, toReadable(item.content).text) : null,
    h('div', { class: 'file-card' }, holder,
      h('div', { class: 'file-words' }, h('bdi', { class: 'file-name', title: name }, name), bar, state),
      iconButton('close', texts.media.cancel(name), () => cancelUpload(item.id), { class: 'icon-button upload-cancel' })),
    h('div', { class: 'upload-failed' }, why, again));
  item.show = () => {
    const { status, progress, size } = item;
    element.className = `upload is-${status}`;
    bar.hidden = status === 'failed';
    bar.value = Math.round(progress * 100);
    // All bytes are sent, and the server is making the thumbnail.
    const words = { waiting: texts.media.waiting(sizeText(size)), sending: progress >= 1 ? texts.media.finishing : texts.media.progress(sizeText(size * progress), sizeText(size)), failed: texts.media.notSent };
    state.textContent = words[status];
    if (why.textContent !== item.why) why.textContent = item.why;
    again.hidden = status !== 'failed';
  };
  return element;
}
