#!/usr/bin/env bash
# SQLite's FTS5 writes a segment of its index for each savepoint, not for each transaction.
#
# Guess: FTS5 gathers what a transaction inserts and writes it once, at the commit; savepoints inside of it cost nothing.
# Really: to open a savepoint, SQLite asks virtual tables to write what they have in memory. With a savepoint around each
#   insert, 200 rows in one transaction are 200 segments of one row, and the index takes three times the space until they
#   are merged. Every search walks all segments, so it is slower as well.
# Version: apsw 3.50.4.0 (SQLite 3.50.4); the SQLite of libsqlite3-sys 0.40 does the same.
# Source: the xSavepoint method in https://sqlite.org/vtab.html; observed by counting the segments.
# Date: 2026-11-30.
# For us: the writer has a savepoint for most commands, so it notes what is to be indexed and writes all of it after the
#   last command of the batch (`Indexing` in src/store/command.rs).
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check apsw==3.50.4.0

cat >"$dir/count.py" <<'PYTHON'
import apsw

ROWS = 200


def segments(with_savepoints):
    db = apsw.Connection(":memory:")
    db.execute("create virtual table notes using fts5(text)")
    # Without merging, so that what was written can be counted.
    db.execute("insert into notes (notes, rank) values ('automerge', 0), ('crisismerge', 2000)")
    db.execute("begin")
    for row in range(ROWS):
        if with_savepoints:
            db.execute("savepoint one")
        db.execute("insert into notes values (?)", (f"word{row} and some more words",))
        if with_savepoints:
            db.execute("release one")
    db.execute("commit")
    count = db.execute("select count(distinct segid) from notes_idx").get
    size = db.execute("select sum(length(block)) from notes_data").get
    return count, size


print(f"SQLite {apsw.sqlite_lib_version()}, {ROWS} rows in one transaction")
plain, saved = segments(False), segments(True)
print(f"without savepoints: {plain[0]} segment(s), {plain[1]} bytes")
print(f"with one for each row: {saved[0]} segment(s), {saved[1]} bytes")
raise SystemExit(0 if plain[0] == 1 and saved[0] == ROWS else 1)
PYTHON

if "$dir/venv/bin/python" "$dir/count.py"; then
    echo 'seen: FTS5 writes one segment for each savepoint of a transaction'
else
    echo 'changed: the number of segments is no longer that of the savepoints'
    exit 1
fi
