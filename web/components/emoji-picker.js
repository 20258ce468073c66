// The emoji picker: by category, by name, recently used.

import { customEmoji, emojiPicture } from '../custom-emoji.js';
import { fill, h, onTouch } from '../dom.js';
import { icon } from '../icons.js';
import { isComposing } from '../key.js';
import { texts } from '../texts.js';

const RECENT = 'campfire.emoji';
const TONE = 'campfire.emoji-tone';
const MOST_RECENT = 24;
const MOST_FOUND = 80;
/** More are found by name. */
const MOST_OWN = 240;
const SIGNS = { recent: 'history', team: '⭐', smileys: '😀', people: '👋', symbols: '❤️', nature: '🌿', food: '🍕', activity: '⚽', travel: '🚀', things: '💡' };

function kept(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function keep(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Without storage it lasts as long as the page.
  }
}

/** `list` is the emoji module, `words` are words in another language. */
export function emojiPicker(list, words, onpick) {
  let tone = list.TONES.includes(kept(TONE, '')) ? kept(TONE, '') : '';
  const nameOf = (entry) => words[entry.sign]?.[0] || entry.name.replaceAll('_', ' ');
  const search = h('input', { type: 'search', class: 'filter', placeholder: texts.emoji.search, 'aria-label': texts.emoji.search, autocomplete: 'off', spellcheck: 'false', enterkeyhint: 'done' });
  const scroll = h('div', { class: 'emoji-scroll' });
  const tabs = h('div', { class: 'emoji-tabs', role: 'group', 'aria-label': texts.emoji.categories });
  const status = h('span', { class: 'heard', role: 'status' });

  const choose = (sign) => {
    keep(RECENT, [sign, ...kept(RECENT, []).filter((known) => known !== sign)].slice(0, MOST_RECENT));
    onpick(sign);
  };
  const button = (entry) => {
    const sign = list.toned(entry, tone);
    return h('button', { type: 'button', class: 'emoji', tabindex: -1, 'aria-label': nameOf(entry), title: nameOf(entry), 'data-emoji': sign, onclick: () => choose(sign) }, entry.url ? emojiPicture(entry.name, entry.url) : sign);
  };
  const group = (key, entries) => h('section', { class: 'emoji-group', 'data-group': key, 'aria-label': texts.emoji.groups[key] },
    h('h3', { 'aria-hidden': 'true' }, texts.emoji.groups[key]), h('div', { class: 'emoji-grid' }, entries.map(button)));

  const recent = () => {
    const bySign = new Map([...customEmoji(), ...list.EMOJI].flatMap((entry) => (entry.toned ? list.TONES.map((one) => [list.toned(entry, one), entry]) : [[entry.sign, entry]])));
    return kept(RECENT, []).filter((sign) => bySign.has(sign)).map((sign) => ({ ...bySign.get(sign), sign, toned: false }));
  };
  const buttons = () => [...scroll.querySelectorAll('.emoji')];
  /** One emoji is in the tab order; the arrows move from there. */
  const reach = (target) => {
    scroll.querySelector('.emoji[tabindex="0"]')?.setAttribute('tabindex', '-1');
    target?.setAttribute('tabindex', '0');
  };
  const drawAll = () => {
    const used = recent();
    const own = customEmoji().slice(0, MOST_OWN);
    const groups = [...(used.length ? [{ key: 'recent', entries: used }] : []), ...(own.length ? [{ key: 'team', entries: own }] : []), ...list.CATEGORIES];
    fill(scroll, groups.map(({ key, entries }) => group(key, entries)));
    fill(tabs, groups.map(({ key }) => h('button', {
      type: 'button', 'data-group': key, 'aria-label': texts.emoji.groups[key], title: texts.emoji.groups[key],
      onclick: () => {
        const section = scroll.querySelector(`[data-group="${key}"]`);
        scroll.scrollTop += section.getBoundingClientRect().top - scroll.getBoundingClientRect().top;
      },
    }, SIGNS[key] === 'history' ? icon('history') : SIGNS[key])));
    tabs.hidden = false;
    status.textContent = '';
    reach(scroll.querySelector('.emoji'));
    mark();
  };
  const drawFound = (wanted) => {
    const found = [...list.findEmoji(wanted, {}, customEmoji()), ...list.findEmoji(wanted, words)].slice(0, MOST_FOUND);
    tabs.hidden = true;
    scroll.scrollTop = 0;
    fill(scroll, found.length ? h('div', { class: 'emoji-grid' }, found.map(button)) : h('p', { class: 'emoji-none' }, texts.emoji.none));
    status.textContent = found.length ? texts.emoji.found(found.length) : texts.emoji.none;
    reach(scroll.querySelector('.emoji'));
  };
  const draw = () => (search.value.trim() ? drawFound(search.value) : drawAll());

  /** Marks the category that is in view. */
  const mark = () => {
    const top = scroll.getBoundingClientRect().top + 12;
    const here = [...scroll.querySelectorAll('.emoji-group')].findLast((section) => section.getBoundingClientRect().top <= top);
    for (const tab of tabs.children) tab.classList.toggle('is-here', tab.dataset.group === (here?.dataset.group || tabs.firstElementChild.dataset.group));
  };
  scroll.addEventListener('scroll', () => { if (!tabs.hidden) mark(); }, { passive: true });

  const go = (target) => {
    if (!target) return;
    reach(target);
    target.focus();
  };
  /** The nearest emoji in the line above or below. */
  const vertically = (from, step) => {
    const { left, top } = from.getBoundingClientRect();
    const all = buttons();
    const line = (step > 0 ? all.slice(all.indexOf(from)) : all.slice(0, all.indexOf(from)).reverse()).filter((one) => Math.sign(Math.round(one.getBoundingClientRect().top - top)) === step).slice(0, 24);
    const next = line.length ? line[0].getBoundingClientRect().top : 0;
    return line.filter((one) => Math.abs(one.getBoundingClientRect().top - next) < 2)
      .sort((a, b) => Math.abs(a.getBoundingClientRect().left - left) - Math.abs(b.getBoundingClientRect().left - left))[0];
  };
  scroll.addEventListener('keydown', (event) => {
    const here = event.target.closest('.emoji');
    if (!here) return;
    const all = buttons();
    const forward = getComputedStyle(scroll).direction === 'rtl' ? -1 : 1;
    if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') go(all[all.indexOf(here) + (event.key === 'ArrowRight' ? forward : -forward)]);
    else if (event.key === 'ArrowDown') go(vertically(here, 1));
    else if (event.key === 'ArrowUp') {
      const above = vertically(here, -1);
      if (above) go(above);
      else search.focus();
    } else if (event.key === 'Home') go(all[0]);
    else if (event.key === 'End') go(all.at(-1));
    else return;
    event.preventDefault();
  });
  search.addEventListener('input', draw);
  search.addEventListener('keydown', (event) => {
    if (isComposing(event)) return;
    if (event.key === 'ArrowDown') go(scroll.querySelector('.emoji[tabindex="0"]') || buttons()[0]);
    else if (event.key === 'Enter') buttons()[0] && search.value.trim() && buttons()[0].click();
    else return;
    event.preventDefault();
  });

  const tones = h('div', { class: 'emoji-tones', role: 'radiogroup', 'aria-label': texts.emoji.tone });
  const drawTones = () => fill(tones, list.TONES.map((one, place) => h('button', {
    type: 'button', role: 'radio', 'aria-checked': String(one === tone), 'aria-label': texts.emoji.tones[place], title: texts.emoji.tones[place], tabindex: one === tone ? 0 : -1,
    onclick: () => { setTone(one); },
  }, `✋${one}`)));
  const setTone = (one) => {
    tone = one;
    keep(TONE, tone);
    const { scrollTop } = scroll;
    drawTones();
    draw();
    scroll.scrollTop = scrollTop;
    tones.querySelector('[aria-checked="true"]').focus();
  };
  tones.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    setTone(list.TONES[(list.TONES.indexOf(tone) + step + list.TONES.length) % list.TONES.length]);
  });

  drawTones();
  draw();
  return { parts: [h('div', { class: 'emoji-search' }, search, tones), tabs, scroll, status], focus: () => {
    mark();
    if (!onTouch()) search.focus();
  } };
}
