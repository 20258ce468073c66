// All that the page says, in the reader's language. Every text is looked up when it is shown, never when a module loads.

import { en } from './texts/en.js';

const KEY = 'campfire.language';

/** The languages there are, by their own names. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' };

export const texts = en;

/** What was chosen on this device; empty for the browser's own. */
export function chosenLanguage() {
  try {
    return localStorage.getItem(KEY) || '';
  } catch {
    return '';
  }
}

/** Which of our languages is shown. */
export function language() {
  const wanted = [chosenLanguage(), ...(navigator.languages || [])].map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag) => tag in LANGUAGES) || 'en';
}

/** Takes effect when the page is loaded anew. */
export function chooseLanguage(tag) {
  try {
    localStorage.setItem(KEY, tag);
  } catch {
    // Without storage the browser's own language stays.
  }
}

/** Brings the texts in before anything is shown. English is there already; where another fails to load, it serves. */
export async function loadTexts() {
  document.documentElement.lang = language();
  if (language() !== 'de') return;
  const { de } = await import('./texts/de.js');
  for (const [section, words] of Object.entries(de)) Object.assign(texts[section], words);
}

/** The words of the settings come with them. */
export async function loadSettingsTexts() {
  const { words } = await (language() === 'de' ? import('./texts/settings-de.js') : import('./texts/settings-en.js'));
  Object.assign(texts, words);
}
