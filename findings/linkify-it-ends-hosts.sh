#!/usr/bin/env bash
# linkify-it takes letters of any script that follow the name of a host for more of the name, and no address behind a letter.
#
# Guess: the linkifier of markdown-it finds `https://example.org` in 请看https://example.org谢谢, since it ends addresses at the
#   punctuation of all scripts.
# Really: a host ends only at white space, punctuation or a separator. Letters without a space before them are taken for an
#   international domain name: the link goes to the host example.org谢谢. And a scheme right behind a letter, of whatever
#   script, is none; behind punctuation it is. In Chinese, Japanese and Thai both are how people write. With a path the end is the
#   same: letters belong to it, 。 and 」 do not.
# Version: linkify-it 6.1.0.
# Source: get_host_terminator and get_schema_search in its src/rebuilder.ts; run here.
# Date: 2026-11-30.
# For us: addresses end where linkify-it ends them (`src/text/links.rs`, compared over some thousand generated texts), but
#   start behind any letter that is not ASCII's. Whoever writes 谢谢 after a host sets a space, or a slash and a mark.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --no-update-notifier --ignore-scripts --prefix "$dir" linkify-it@6.1.0 >/dev/null

cat >"$dir/links.mjs" <<'SCRIPT'
import { LinkifyIt } from 'linkify-it';

const found = (text) => (new LinkifyIt().match(text) || []).map((match) => match.raw).join(' ');
const cases = [
  ['看 https://example.org谢谢', 'https://example.org谢谢'],
  ['看 https://example.org。谢谢', 'https://example.org'],
  ['看 https://example.org/a」谢谢', 'https://example.org/a'],
  ['请看https://example.org/a', ''],
  ['请看：https://example.org/a', 'https://example.org/a'],
];
let asSeen = true;
for (const [text, seen] of cases) {
  console.log(`${text}  ->  ${found(text) || '(none)'}`);
  asSeen &&= found(text) === seen;
}
process.exit(asSeen ? 0 : 1);
SCRIPT

echo 'linkify-it 6.1.0'
if (cd "$dir" && node links.mjs); then
    echo 'seen: letters behind a host belong to it, and a letter before a scheme hides it'
else
    echo 'changed: linkify-it reads hosts or the letters before a scheme in another way'
    exit 1
fi
