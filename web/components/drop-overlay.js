// Files can be dropped anywhere in a room.

import { h } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';

/** The overlay for a room's element; `take(files)` gets the dropped files. */
export function dropOverlay(room, name, take) {
  const words = h('span', {});
  const element = h('div', { class: 'drop-overlay', hidden: true, 'aria-hidden': 'true' }, h('div', { class: 'drop-words' }, icon('attach'), words));
  // dragenter and dragleave fire for every element under the pointer.
  let inside = 0;
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  const show = (is) => {
    inside = is ? inside : 0;
    element.hidden = !is;
  };
  room.addEventListener('dragenter', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    inside += 1;
    words.textContent = texts.room.dropHere(name());
    show(true);
  });
  room.addEventListener('dragleave', (event) => {
    if (!hasFiles(event)) return;
    inside -= 1;
    if (inside <= 0) show(false);
  });
  room.addEventListener('dragover', (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  room.addEventListener('drop', (event) => {
    show(false);
    if (!hasFiles(event) || event.defaultPrevented) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
  return element;
}
