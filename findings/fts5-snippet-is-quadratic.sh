#!/usr/bin/env bash
# The time that SQLite's FTS5 takes for snippet() grows with the square of the hits in a row, and nothing interrupts it.
#
# Guess: a snippet of 24 words costs about as much as finding the row; a progress handler or sqlite3_interrupt ends what takes
#   too long.
# Really: each hit is tried as the beginning of the snippet, and scored against all others. Twice as many hits take four times
#   as long: 16,000 of them in one row (80 KB) took a second. No instruction of the virtual machine runs meanwhile, so a
#   progress handler is not asked. highlight() marks the same hits in a fiftieth of that.
# Version: apsw 3.50.4.0 (SQLite 3.50.4); the SQLite of libsqlite3-sys 0.40 does the same.
# Source: fts5SnippetFunction and fts5SnippetScore in ext/fts5/fts5_aux.c; observed by the times.
# Date: 2026-11-30.
# For us: snippets are made in src/text/search/snippet.rs, in time proportional to the text.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check apsw==3.50.4.0

cat >"$dir/measure.py" <<'PYTHON'
import time

import apsw


def milliseconds(hits, function):
    db = apsw.Connection(":memory:")
    db.execute("create virtual table notes using fts5(text)")
    db.execute("insert into notes values (?)", ("spam " * hits,))
    asked = 0

    def ask():
        nonlocal asked
        asked += 1
        return False

    db.set_progress_handler(ask, 100)
    began = time.monotonic()
    db.execute(f"select {function} from notes where notes match 'spam'").get
    return (time.monotonic() - began) * 1e3, asked


times = []
for hits in (4_000, 8_000, 16_000):
    snippet, asked = milliseconds(hits, "snippet(notes, 0, '[', ']', '…', 24)")
    highlight, _ = milliseconds(hits, "highlight(notes, 0, '[', ']')")
    times.append(snippet)
    print(f"{hits} hits: snippet {snippet:.0f} ms, highlight {highlight:.0f} ms, progress handler asked {asked} times")
assert times[2] > 8 * times[0], "it is not quadratic"
PYTHON
"$dir/venv/bin/python" "$dir/measure.py"
