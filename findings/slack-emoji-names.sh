#!/usr/bin/env bash
# GitHub's names of emoji are not Slack's: a third of Slack's are missing, and some common ones mean another emoji.
#
# Guess: `:fire:` is the same everywhere. A table of GitHub's shortcodes (gemoji, which nearly all libraries carry) reads what
#   senders write for Slack, but for a few oddities.
# Really: of the 1,972 names of emoji-data, which Slack uses, 624 are not in gemoji: all flags by country (`flag-de`), families and
#   jobs (`male-technologist`), `skin-tone-3`, `lightning`, `medal`. Eight are there and differ: `satellite` is the one in orbit for
#   Slack and the dish for GitHub, `umbrella` without and with rain, `snowman`, `email`, and four of people.
# Version: emoji-datasource 16.0.0 and gemoji 8.1.0 (npm).
# Source: https://www.npmjs.com/package/emoji-datasource, https://www.npmjs.com/package/gemoji; compared here.
# Date: 2026-11-30.
# For us: incoming webhooks look into Slack's own names first (src/text/slack/emoji.txt has those that differ) and then into GitHub's.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund emoji-datasource@16.0.0 gemoji@8.1.0 >/dev/null
cat >compare.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { nameToEmoji } from 'gemoji';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;
const bare = (emoji) => emoji.replaceAll('\uFE0F', '');
const slack = JSON.parse(readFileSync('node_modules/emoji-datasource/emoji.json'));
const names = slack.flatMap(({ unified, short_names }) => {
  const emoji = String.fromCodePoint(...unified.split('-').map((point) => parseInt(point, 16)));
  return short_names.map((name) => [name, emoji]);
});
const missing = names.filter(([name]) => !(name in nameToEmoji));
const other = names.filter(([name, emoji]) => name in nameToEmoji && bare(nameToEmoji[name]) !== bare(emoji));
console.log(`emoji-datasource ${version('emoji-datasource')}, gemoji ${version('gemoji')}`);
console.log(`${names.length} names of Slack: ${missing.length} are missing, ${other.length} are another emoji:`);
console.log(other.map(([name, emoji]) => `${name} ${emoji}/${nameToEmoji[name]}`).join(', '));
const known = other.map(([name]) => name);
process.exitCode = missing.length > 500 && known.includes('satellite') && known.includes('umbrella') ? 0 : 1;
JS
if node compare.mjs; then
    echo 'seen: a table of GitHub does not read what is written for Slack'
else
    echo 'changed: the two tables agree now, or nearly'
    exit 1
fi
