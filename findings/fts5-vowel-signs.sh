#!/usr/bin/env bash
# FTS5's unicode61 takes the vowel signs of Hindi, Bengali and Thai for spaces, so that words of the same consonants are one.
#
# Guess: a tokenizer for Unicode keeps letters and their marks together, and folds away at most the accents of Latin.
# Really: only letters, digits and private use (`L* N* Co`) are parts of words; every other mark separates them. दिन (day) is
#   the tokens द and न, and finds दान (gift) and दुनिया (world) as well. Accents that are marks of their own are dropped before,
#   so Latin shows nothing of it. `categories 'L* N* Co Mn Mc'` keeps the signs.
# Version: apsw 3.50.4.0 (SQLite 3.50.4).
# Source: the section on unicode61 in https://sqlite.org/fts5.html (the default of `categories`); observed.
# Date: 2026-11-30.
# For us: the index gets tokens that are made in src/text/search, and FTS5 only separates them at spaces.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check apsw==3.50.4.0

cat >"$dir/ask.py" <<'PYTHON'
import sys

import apsw

print("SQLite", apsw.sqlite_lib_version())
found = {}
for tokenizer in ("unicode61", "unicode61 categories 'L* N* Co Mn Mc'"):
    db = apsw.Connection(":memory:")
    db.execute(f'create virtual table notes using fts5(text, tokenize="{tokenizer}")')
    for word in ("दिन", "दान", "दुनिया"):
        db.execute("insert into notes values (?)", (word,))
    found[tokenizer] = [text for (text,) in db.execute("select text from notes where notes match '\"दिन\"'")]
    print(f"{tokenizer}: दिन finds {' '.join(found[tokenizer])}")
if [len(words) for words in found.values()] == [3, 1]:
    print("seen: three words of the same consonants are one to unicode61")
else:
    print("changed: the vowel signs are parts of words")
    sys.exit(1)
PYTHON
"$dir/venv/bin/python" "$dir/ask.py"
