import assert from 'node:assert/strict';
import test from 'node:test';

import { page } from './page.js';

const { begins, beginsWithin, fits, plain, rankOf, typedWords } = await page().load('match');
const isFound = (name, typed) => fits(name, typedWords(typed));

test('every typed word begins a word of the name, in any order', () => {
  for (const typed of ['mara', 'Ort', 'ortiz mara', 'm o', 'MARA', '  ', '']) assert.ok(isFound('Mara Ortiz', typed), typed);
  for (const typed of ['ara', 'tiz', 'mara x', 'marao', 'mara ortiz z']) assert.ok(!isFound('Mara Ortiz', typed), typed);
});

test('words of a name are parted by whatever is no letter or digit', () => {
  for (const typed of ['luc', 'pierre', 'neill', 'dev', '2']) assert.ok(isFound("Jean-Luc O'Neill (Pierre) #dev_2", typed), typed);
});

test('accents and case are of no account, on either side', () => {
  for (const [name, typed] of [['Zoë Müller', 'zoe mul'], ['Zoe Muller', 'ZOË MÜL'], ['Nguyễn Văn', 'nguyen van'], ['Ångström', 'angs'], ['İlker', 'ilk'], ['Çağrı', 'cagri']]) assert.ok(isFound(name, typed), `${name}, ${typed}`);
});

test('letters that Unicode does not take apart are found by their base', () => {
  for (const [name, typed] of [['Łukasz', 'lukasz'], ['Søren', 'soren'], ['Đorđe', 'dorde'], ['Strauß', 'strauss'], ['Æsa', 'aes'], ['Lukasz', 'Łuk']]) assert.ok(isFound(name, typed), `${name}, ${typed}`);
});

test('composed and decomposed letters are the same', () => {
  assert.ok(isFound('Ame\u0301lie', 'am\u00E9'));
  assert.ok(isFound('Am\u00E9lie', 'ame\u0301'));
});

test('names of other scripts are found by how they begin', () => {
  for (const [name, typed] of [['Ольга Петрова', 'пет'], ['Ольга Петрова', 'ОЛЬ'], ['Γιώργος', 'γιωρ'], ['王小明', '王小'], ['山田 太郎', '太'], ['김민수', '김민'], ['김민수', 'ᄀ'], ['आरव शर्मा', 'शर्'], ['محمد علي', 'علي'], ['דוד לוי', 'לו'], ['สมชาย', 'สม']]) assert.ok(isFound(name, typed), `${name}, ${typed}`);
  for (const [name, typed] of [['Ольга', 'ъга'], ['王小明', '小'], ['김민수', '박']]) assert.ok(!isFound(name, typed), `${name}, ${typed}`);
});

test('name that itself begins so comes before one with a later word that does', () => {
  assert.ok(begins('Mara Ortiz', typedWords('mar')));
  assert.ok(!begins('Ana Mara', typedWords('mar')));
  assert.ok(!begins('Mara', typedWords('')));
  assert.ok(!begins('', typedWords('m')));
});

test('name of nothing but signs is found by nothing', () => {
  assert.ok(isFound('***', ''));
  assert.ok(!isFound('***', 'a'));
});

test('plain text of a name stays in its script', () => {
  assert.equal(plain('ÀÉÎ Œuvre'), 'aei oeuvre');
  assert.equal(plain('Й'), 'и');
});

test('names are found by what a keyboard of another language writes (F8)', () => {
  for (const [name, typed] of [
    ["Conor O'Brien", 'O’Br'], ['Conor O’Brien', "o'br"], ["Conor O'Brien", 'obrien'], ['Øyvind Hagen', 'oyv'], ['Jürgen Groß', 'gross'], ['Þór Ægisson', 'thor'], ['Əli', 'eli'], ['Ｔａｎａｋａ', 'tanaka'], ['Tanaka', 'ｔａｎ'],
    ['ﬁona', 'fio'], ['Елена Ёлкина', 'елк'], ['Σωκράτης', 'σωκρατησ'], ['كِتَاب', 'كتا'], ['שָׁלוֹם', 'שלו'], ['Ma\u00ADra', 'mara'], ['दिनेश', 'दि'], ['ดีใจ', 'ดี'],
  ]) assert.ok(isFound(name, typed), `${name}, ${typed}`);
});

test('vowel signs are letters, not accents', () => {
  for (const [name, typed] of [['दान', 'दिन'], ['ดู', 'ดี'], ['কুল', 'কাল'], ['か', 'が']]) assert.ok(!isFound(name, typed), `${name}, ${typed}`);
});

test('mention is found by the beginning of its words, signs and spaces of any width included', () => {
  for (const [name, typed] of [['Mara Ortiz', 'mara o'], ['Mara Ortiz', 'ort'], ['山田　太郎', '山田　太'], ['山田 太郎', '太'], ['Jean-Luc P', 'jean-l'], ['Jean-Luc P', 'jean l'], ['J.R. Hart', 'j.r'], ['C++ Bot', 'c+'], ['🔥 Ana', '🔥'], ['🔥 Ana', 'an'], ['O’Neil', "o'n"], ['Max [Ops]', 'ops'], ['Mara', '']]) assert.ok(beginsWithin(name, typed), `${name}, ${typed}`);
  // The dot ends the sentence, and stars end the bold words.
  for (const [name, typed] of [['Mara', 'mara.'], ['Mara', 'mara**'], ['Mara', 'ara'], ['Mara Ortiz', 'ortiz mara'], ['Mara', '*']]) assert.ok(!beginsWithin(name, typed), `${name}, ${typed}`);
});

test('name itself ranks before one with this word, and that before longer words', () => {
  assert.deepEqual(['Ann', 'ANN', 'Ann Lee', 'Lee Ann', 'Anna', 'Annabel Lee', 'Bo Anna'].map((name) => rankOf(name, 'ann')), [0, 0, 1, 1, 2, 2, 2]);
  assert.equal(rankOf('Ann', ''), 2);
});
