// Sounds that somebody plays for the room.

import { get } from '../api.js';
import { h, sanitised } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';

const KEY = 'campfire.sounds';
/** Loud enough to be heard, not to be startled by. */
const VOLUME = 0.5;

let playing = null;
let known = null;

/** Whether sounds of others are heard on this device. */
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

/** Plays a sound once. One that was asked for by hand (`wanted`) is heard also where sounds are off. */
export function playSound(name, { wanted = false } = {}) {
  if (!wanted && !soundsOn()) return null;
  playing?.pause();
  playing = new Audio(`/sounds/${encodeURIComponent(name)}.wav`);
  playing.volume = VOLUME;
  // A browser plays nothing before the first click. That is its right.
  playing.play().catch(() => {});
  return playing;
}

/** What stands for a sound in the talk, with a button to hear it again. */
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
