// Typing Markdown: marks around a selection, continued lists, Enter in code.

import { shortcutOf } from '../key.js';

const URL_PASTED = /^https?:\/\/[^\s<>]+$/i;
const LINE_MARK = /^([ \t]*)(?:([-*+]) (\[[ xX]\] )?|(\d{1,9})([.)]) |(>(?: ?>)*) ?)/;
const FENCE = /^ {0,3}```/;
/** Marks that surround the selection when typed over it. */
const PAIRS = new Set(['*', '_', '`', '~']);

/** Replaces a range in a way that undo can revert. */
export function replaceRange(input, from, to, text, selectFrom = from + text.length, selectTo = selectFrom) {
  if (document.activeElement === input) {
    input.setSelectionRange(from, to);
    // The only way to change a text within the browser's undo history.
    const done = text ? document.execCommand('insertText', false, text) : from === to || document.execCommand('delete');
    if (done) return void input.setSelectionRange(selectFrom, selectTo);
  }
  input.setRangeText(text, from, to, 'end');
  input.setSelectionRange(selectFrom, selectTo);
  input.dispatchEvent(new Event('input', { bubbles: true }));
}

/** Inserts a text at the caret. */
export function insertText(input, text) {
  replaceRange(input, input.selectionStart, input.selectionEnd, text);
}

/** Puts marks around the selection, or removes them. */
export function wrap(input, mark) {
  const { selectionStart: from, selectionEnd: to, value } = input;
  const size = mark.length;
  const inside = value.slice(from, to);
  if (value.slice(from - size, from) === mark && value.slice(to, to + size) === mark) {
    return replaceRange(input, from - size, to + size, inside, from - size, to - size);
  }
  // Marks next to white space have no meaning in Markdown.
  const [, before, words, after] = /^(\s*)([^]*?)(\s*)$/.exec(inside);
  const start = from + before.length + size;
  replaceRange(input, from, to, before + mark + words + mark + after, start, start + words.length);
}

const linesAround = (value, from, to) => {
  const start = value.lastIndexOf('\n', from - 1) + 1;
  const end = value.indexOf('\n', to);
  return [start, end < 0 ? value.length : end];
};

/** Puts a mark before each selected line, or removes it if all have it. */
export function prefixLines(input, mark) {
  const { selectionStart, selectionEnd, value } = input;
  const [start, end] = linesAround(value, selectionStart, selectionEnd);
  const lines = value.slice(start, end).split('\n');
  const marked = lines.every((line) => line.startsWith(mark)) && lines.join('') !== '';
  const text = lines.map((line) => (marked ? line.slice(mark.length) : mark + line)).join('\n');
  const caret = selectionStart === selectionEnd ? start + text.length : start;
  replaceRange(input, start, end, text, caret, start + text.length);
}

/** Puts the selected lines into a code block, or inserts an empty one. */
export function codeBlock(input) {
  const { selectionStart, selectionEnd, value } = input;
  const [start, end] = linesAround(value, selectionStart, selectionEnd);
  const inside = value.slice(start, end);
  const caret = start + 4;
  replaceRange(input, start, end, `\`\`\`\n${inside}\n\`\`\``, caret, caret + inside.length);
}

/** `[words](address)`: the missing part is selected, to be typed. */
export function link(input, address = '') {
  const { selectionStart: from, selectionEnd: to, value } = input;
  const words = value.slice(from, to);
  if (!address && URL_PASTED.test(words)) return replaceRange(input, from, to, `[](${words})`, from + 1);
  const text = `[${words}](${address})`;
  const at = words ? from + words.length + 3 : from + 1;
  replaceRange(input, from, to, text, address ? from + text.length : at);
}

/** Whether the caret is in an open code block. */
export function inCode(input) {
  const before = input.value.slice(0, input.selectionStart);
  if (!before.includes('```')) return false;
  return before.split('\n').filter((line) => FENCE.test(line)).length % 2 === 1;
}

/** Breaks the line: continues a list or quote, ends it at an empty item, keeps the indent in code. */
export function breakLine(input) {
  const { selectionStart: from, selectionEnd: to, value } = input;
  const start = value.lastIndexOf('\n', from - 1) + 1;
  const line = value.slice(start, from);
  if (inCode(input)) return replaceRange(input, from, to, `\n${/^[ \t]*/.exec(line)[0]}`);
  const mark = LINE_MARK.exec(line);
  if (!mark) return replaceRange(input, from, to, '\n');
  if (mark[0].length === line.length && from === to) return replaceRange(input, start, from, '');
  const [, indent, bullet, box, digits, dot, quote] = mark;
  const next = bullet ? `${bullet} ${box ? '[ ] ' : ''}` : digits ? `${Number(digits) + 1}${dot} ` : `${quote} `;
  replaceRange(input, from, to, `\n${indent}${next}`);
}

/** Shortcuts with Ctrl or Cmd. `code` is the physical key, for characters that differ by layout. */
const CHORDS = [
  { key: 'b', act: (input) => wrap(input, '**') },
  { key: 'i', act: (input) => wrap(input, '_') },
  { key: 'e', act: (input) => wrap(input, '`') },
  { key: 'x', shift: true, act: (input) => wrap(input, '~~') },
  { key: 'e', shift: true, act: codeBlock },
  { key: 'k', shift: true, act: (input) => link(input) },
  { code: 'Digit9', shift: true, act: (input) => prefixLines(input, '> ') },
  { code: 'Digit8', shift: true, act: (input) => prefixLines(input, '- ') },
];

/** Handles a shortcut; false if there is none. */
export function takeChord(input, event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return false;
  const found = CHORDS.find(({ key, code, shift = false }) => shift === event.shiftKey && (code ? code === event.code : key === shortcutOf(event)));
  if (!found) return false;
  event.preventDefault();
  found.act(input);
  return true;
}

/** Marks typed over a selection surround it; an address pasted over it makes it a link. */
export function listenForMarks(input) {
  input.addEventListener('beforeinput', (event) => {
    const { selectionStart: from, selectionEnd: to, value } = input;
    if (event.inputType !== 'insertText' || event.isComposing || from === to || !PAIRS.has(event.data)) return;
    event.preventDefault();
    replaceRange(input, from, to, event.data + value.slice(from, to) + event.data, from + 1, to + 1);
  });
  input.addEventListener('paste', (event) => {
    const text = event.clipboardData?.getData('text/plain').trim() || '';
    const selected = input.value.slice(input.selectionStart, input.selectionEnd);
    if (!selected.trim() || selected.includes('\n') || !URL_PASTED.test(text) || URL_PASTED.test(selected) || inCode(input)) return;
    event.preventDefault();
    link(input, text.replaceAll('(', '%28').replaceAll(')', '%29'));
  });
}
