// The list of keyboard shortcuts, under `?`.

import { h } from '../dom.js';
import { isApple } from '../keyboard.js';
import { texts } from '../texts.js';
import { openDialog } from './dialog.js';

/** Each line is an action and its keys, alternatives apart. */
function groups() {
  const { keys } = texts;
  const chord = isApple() ? '⌘' : keys.ctrl;
  const alt = isApple() ? '⌥' : keys.alt;
  return [
    [keys.moving, [
      [keys.jump, [[chord, 'K']]], [keys.search, [['/']]], [keys.nextUnread, [[alt, '↓']]], [keys.previousUnread, [[alt, '↑']]],
      [keys.sidebar, [[keys.ctrl, '\\']]], [keys.close, [[keys.esc]]], [keys.help, [['?']]],
    ]],
    [keys.writing, [
      [keys.send, [[keys.enter]]], [keys.newLine, [[keys.shift, keys.enter]]], [keys.sendAlways, [[chord, keys.enter]]], [keys.editLast, [['↑']]],
      [keys.mention, [['@']]], [keys.sound, [['/play']]], [keys.bold, [[chord, 'B']]], [keys.italic, [[chord, 'I']]], [keys.code, [[chord, 'E']]],
    ]],
    [keys.messages, [
      [keys.toMessages, [[keys.pageUp]]], [keys.walk, [['↑'], ['↓']]], [keys.actions, [[keys.enter]]], [keys.reply, [['R']]], [keys.edit, [['E']]], [keys.boost, [['B']]], [keys.copyLink, [['C']]], [keys.remove, [[keys.delete]]], [keys.backToWriting, [[keys.esc]]],
    ]],
  ];
}

export function showKeys() {
  openDialog(texts.keys.title, () => h('div', { class: 'keys' }, groups().map(([title, lines]) => h('section', {}, h('h3', {}, title),
    h('dl', {}, lines.map(([what, ways]) => h('div', { class: 'keys-line' }, h('dt', {}, what),
      h('dd', {}, ways.map((way) => way.map((key) => h('kbd', {}, key)))))))))), { wide: true, kind: 'dialog-keys' });
}
