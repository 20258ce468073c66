// Theme and language of this device.

import { choice } from '../../components/field.js';
import { h } from '../../dom.js';
import { chooseLanguage, chosenLanguage, language, LANGUAGES, texts } from '../../texts.js';
import { chooseTheme, theme } from '../../theme.js';
import { block, page } from './parts.js';

export function appearance() {
  const words = texts.settings.appearance;
  return page('appearance', words.lead, block(words.theme, '', themes()), block(words.language, words.languageLead, languages()));
}

function themes() {
  const words = texts.settings.appearance;
  return h('fieldset', { class: 'looks' }, h('legend', { class: 'heard' }, words.theme), [['', words.system], ['light', words.light], ['dark', words.dark]].map(([value, label]) =>
    h('label', { class: 'look' }, h('input', { type: 'radio', name: 'theme', value, '.checked': theme() === value, onchange: () => chooseTheme(value) }),
      h('span', { class: 'look-picture', 'aria-hidden': 'true' }, value ? room(value) : [room('light'), room('dark')]), h('span', { class: 'look-name' }, label))));
}

/** A small preview of a room. */
function room(kind) {
  return h('span', { class: `look-room look-${kind}` }, h('i', { class: 'look-side' }, h('b', {}), h('b', {}), h('b', {})), h('i', { class: 'look-messages' }, h('b', {}), h('b', {}), h('b', { class: 'look-mine' }), h('b', {})));
}

function languages() {
  const words = texts.settings.appearance;
  const browsers = (navigator.languages || []).map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag in LANGUAGES) || 'en';
  const choose = (tag) => {
    chooseLanguage(tag);
    // Texts are looked up when they are shown: the page has to be built again.
    if (language() !== document.documentElement.lang) location.reload();
  };
  const options = [['', words.browsers(LANGUAGES[browsers])], ...Object.entries(LANGUAGES)];
  return h('fieldset', { class: 'choices' }, h('legend', { class: 'heard' }, words.language), options.map(([tag, label]) =>
    choice('radio', 'language', h('span', { lang: tag || null }, label), { value: tag, '.checked': chosenLanguage() === tag, onchange: () => choose(tag) })));
}
