// All texts of the page, in the user's language. Look a text up when it is shown, never when a module loads.

import { en } from './texts/en.js';

const KEY = 'campfire.language';

/** The available languages, by their own names. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' };

export const texts = en;

/** The language chosen on this device; empty for the browser's own. */
export function chosenLanguage() {
  try {
    return localStorage.getItem(KEY) || '';
  } catch {
    return '';
  }
}

/** The language that is shown. */
export function language() {
  const wanted = [chosenLanguage(), ...(navigator.languages || [])].map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag) => tag in LANGUAGES) || 'en';
}

/** Takes effect when the page is reloaded. */
export function chooseLanguage(tag) {
  try {
    localStorage.setItem(KEY, tag);
  } catch {
    // Without storage the browser's own language stays.
  }
}

/** Loads the texts before anything is shown. English is built in and is used if another language fails to load. */
export async function loadTexts() {
  document.documentElement.lang = language();
  if (language() !== 'de') return;
  const { de } = await import('./texts/de.js');
  for (const [section, words] of Object.entries(de)) Object.assign(texts[section], words);
}

/** The texts of the settings are loaded with them. */
export async function loadSettingsTexts() {
  const { words } = await (language() === 'de' ? import('./texts/settings-de.js') : import('./texts/settings-en.js'));
  Object.assign(texts, words);
}
