// The files chosen for the next message.

import { fill, h, iconButton } from '../dom.js';
import { sizeText } from '../format.js';
import { state } from '../store.js';
import { texts } from '../texts.js';
import { isPreviewable } from '../uploads.js';
import { fileIcon, shownName } from './attachment.js';

const MOST = 30;

/** `{element, count, add(list), take()}`. `onchange` is called when the files change, `refuse(text)` with the reasons why some were not added. */
export function chosenFiles(onchange, refuse) {
  let chosen = [];
  const element = h('ul', { class: 'chosen', 'aria-label': texts.composer.chosen, hidden: true });

  const drop = (entry) => {
    const place = chosen.indexOf(entry);
    chosen = chosen.filter((other) => other !== entry);
    if (entry.url) URL.revokeObjectURL(entry.url);
    draw();
    onchange();
    (element.querySelectorAll('.chosen-remove')[Math.min(place, chosen.length - 1)])?.focus();
  };
  const chip = (entry) => {
    const { file, url } = entry;
    const name = shownName(file.name);
    const picture = url && h('img', { src: url, alt: '', onerror: () => picture.replaceWith(fileIcon(file.type, file.name)) });
    return h('li', { class: `chosen-file${url ? ' is-picture' : ''}`, title: name },
      h('span', { class: 'chosen-face' }, picture || fileIcon(file.type, file.name)),
      h('span', { class: 'chosen-words' }, h('bdi', { class: 'chosen-name' }, name), h('small', {}, sizeText(file.size))),
      iconButton('close', texts.composer.removeFile(name), () => drop(entry), { class: 'icon-button chosen-remove' }));
  };
  const draw = () => {
    element.hidden = chosen.length === 0;
    // Existing elements are reused, so that no picture flickers.
    const known = new Map(chosen.map((entry) => [entry, entry.element ??= chip(entry)]));
    fill(element, [...known.values()]);
  };

  /** Adds files, except those that cannot be sent. */
  const add = async (list) => {
    const reasons = [];
    const good = [];
    for (const file of [...list]) {
      const why = await refusalOf(file);
      if (why) reasons.push(why);
      else good.push(file);
    }
    const room = MOST - chosen.length;
    if (good.length > room) reasons.push(texts.composer.tooMany(MOST));
    chosen.push(...good.slice(0, Math.max(0, room)).map((file) => ({ file, url: isPreviewable(file) ? URL.createObjectURL(file) : null })));
    draw();
    onchange();
    refuse([...new Set(reasons)].slice(0, 3).join(' '));
  };

  const take = () => {
    const files = chosen.map(({ file }) => file);
    chosen.forEach(({ url }) => url && URL.revokeObjectURL(url));
    chosen = [];
    draw();
    return files;
  };

  return { element, add, take, get count() { return chosen.length; } };
}

/** Why a file cannot be sent; empty if it can. */
async function refusalOf(file) {
  try {
    // A dropped folder looks like a file until it is read.
    if (file.size > 0) await file.slice(0, 1).arrayBuffer();
  } catch {
    return texts.composer.folder(shownName(file.name));
  }
  if (file.size === 0) return texts.composer.emptyFile(shownName(file.name));
  const most = state.limits.upload_limit;
  return file.size > most ? texts.composer.largeFile(shownName(file.name), sizeText(most)) : '';
}
