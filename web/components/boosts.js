// Boosts: a word or an emoji for a message, with who gave it.

import { post, remove } from '../api.js';
import { partsOf } from '../custom-emoji.js';
import { h, heard } from '../dom.js';
import { icon } from '../icons.js';
import { person, state } from '../store.js';
import { texts } from '../texts.js';
import { toast } from './toast.js';

const NAMED = 8;

/** Keyboards write the same emoji with and without a sign that it is one. */
const plain = (content) => content.replace(/[\uFE0E\uFE0F]/g, '');

/** Boosts grouped by content, in the order in which they first came. */
export function groups(boosts) {
  const found = new Map();
  for (const boost of boosts) found.set(plain(boost.content), [...(found.get(plain(boost.content)) || []), boost]);
  return [...found.values()].map((given) => [given[0].content, given]);
}

export const nameOf = (boost) => (boost.user_id === state.me.id ? texts.common.you : person(boost.user_id).name);

function names(boosts) {
  const shown = boosts.slice(0, NAMED).map(nameOf);
  return texts.message.listed(boosts.length > NAMED ? [...shown, texts.message.andMore(boosts.length - NAMED)] : shown);
}

/** The boosts under a message; the timeline handles clicks on them. */
export function boostsElement({ boosts }) {
  if (!boosts?.length) return null;
  return h('div', { class: 'boosts', role: 'group', 'aria-label': texts.message.boosts }, groups(boosts).map(([content, given]) => {
    const who = texts.message.boostedBy(content, names(given));
    return h('button', {
      type: 'button', class: 'boost', tabindex: -1, title: who, 'data-boost': content,
      'aria-pressed': String(given.some((boost) => boost.user_id === state.me.id)),
    }, h('span', { dir: 'auto' }, partsOf(content)), given.length > 1 ? h('span', { class: 'boost-count' }, given.length) : null, heard(texts.message.from(names(given))));
  }), h('button', { type: 'button', class: 'boost boost-add', tabindex: -1, title: texts.message.boost, 'aria-label': texts.message.boost, 'aria-haspopup': 'dialog', 'data-act': 'boost' }, icon('plus')));
}

export const isMine = (content) => (boost) => boost.user_id === state.me.id && plain(boost.content) === plain(content);

/** Gives a boost, or takes back mine. It shows at once; `redraw` is called whenever the message's boosts change. */
export async function toggleBoost(message, content, redraw) {
  const mine = message.boosts.find(isMine(content));
  if (mine) await takeBack(message, mine, redraw);
  else await give(message, content, redraw);
}

async function give(message, content, redraw) {
  const hoped = { id: 0, user_id: state.me.id, content };
  addBoost(message, hoped);
  redraw();
  try {
    const boost = await post(`/api/messages/${message.id}/boosts`, { content });
    message.boosts = message.boosts.filter((known) => known !== hoped);
    addBoost(message, boost);
  } catch (problem) {
    message.boosts = message.boosts.filter((known) => known !== hoped);
    toast(problem.message);
  }
  redraw();
}

async function takeBack(message, boost, redraw) {
  if (!boost.id) return;
  const before = message.boosts;
  dropBoost(message, boost.id);
  redraw();
  try {
    await remove(`/api/boosts/${boost.id}`);
  } catch (problem) {
    if (problem.status === 404) return;
    message.boosts = before;
    redraw();
    toast(problem.message);
  }
}

/** Adds a boost once: mine is shown before the server confirms it. */
export function addBoost(message, boost) {
  const place = message.boosts.findIndex((known) => known.id === boost.id || (!known.id && known.user_id === boost.user_id && plain(known.content) === plain(boost.content)));
  if (place < 0) message.boosts = [...message.boosts, boost];
  else message.boosts = message.boosts.with ? message.boosts.with(place, boost) : message.boosts.map((known, at) => (at === place ? boost : known));
}

export function dropBoost(message, boostId) {
  message.boosts = message.boosts.filter((boost) => boost.id !== boostId);
}
