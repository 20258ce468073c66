// Sounds (`/play`).

import { get } from '../api.js';
import { h, sanitised } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';

const KEY = 'campfire.sounds';
/** Audible, but not startling. */
const VOLUME = 0.5;

let playing = null;
let known = null;

/** Whether others' sounds are played on this device. */
export function soundsOn() {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}

export function setSounds(on) {
  try {
    if (on) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, 'off');
  } catch {
    // Without storage they stay on.
  }
  if (!on) playing?.pause();
}

/** `{name, emoji, title, url}` of each sound there is. */
export function allSounds() {
  known ??= get('/api/sounds').then(({ sounds }) => sounds, (problem) => {
    known = null;
    throw problem;
  });
  return known;
}

/** Plays a sound. `wanted`: the user pressed play, so it plays even if sounds are off. */
export function playSound(name, { wanted = false } = {}) {
  if (!wanted && !soundsOn()) return null;
  playing?.pause();
  playing = new Audio(`/sounds/${encodeURIComponent(name)}.wav`);
  playing.volume = VOLUME;
  // Browsers play nothing before the first click.
  playing.play().catch(() => {});
  return playing;
}

/** A sound message, with a button to play it again. */
export function soundElement(message) {
  const name = message.content.replace(/^\/play\s+/, '').trim();
  const title = sanitised(message.html).textContent.trim();
  const button = h('button', { type: 'button', class: 'sound-play', 'aria-label': texts.media.play(title), title: texts.media.play(title), onclick: () => {
    const audio = playSound(name, { wanted: true });
    button.classList.add('is-playing');
    const done = () => button.classList.remove('is-playing');
    audio.addEventListener('ended', done);
    audio.addEventListener('pause', done);
    audio.addEventListener('error', done);
  } }, icon('play'));
  return h('div', { class: 'sound' }, button, h('span', {}, texts.media.played(title)));
}
