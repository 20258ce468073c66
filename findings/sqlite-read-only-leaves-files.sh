#!/usr/bin/env bash
# SQLite, opened read-only, leaves two files beside a database in WAL mode.
#
# Guess: `mode=ro` writes nothing; or what it needs while it reads is gone when the connection is closed, as with a writer.
# Really: reading one row makes `-shm` (32,768 bytes) and `-wal` (empty), and both stay after the close: only a connection
#   that can write removes them. `immutable=1` makes no file, but then a log with commits in it is passed over without an error.
# Version: apsw 3.46.0.0 with the SQLite 3.46.0 that it brings along, Python 3.11.
# Source: https://sqlite.org/wal.html#read_only_databases says that the files are needed; that they stay is observed.
# Date: 2026-12-01.
# For us: an import must not change its source. A database of ONCE Campfire without a log is opened with immutable=1; one with
#   a log is copied together with it, and the copy is read (src/import/once/database.rs).
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --no-deps apsw==3.46.0.0

"$dir/venv/bin/python" - "$dir" <<'PY'
import os, shutil, sys
import apsw

place = os.path.join(sys.argv[1], "data")
os.mkdir(place)
os.chdir(place)
print("apsw", apsw.apsw_version(), "SQLite", apsw.sqlite_lib_version())

def files(stem):
    return {name: os.path.getsize(name) for name in sorted(os.listdir(".")) if name.startswith(stem)}

def read(uri):
    db = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    try:
        return [row[0] for row in db.execute("select word from words")]
    except apsw.SQLError as error:
        return str(error).removeprefix("SQLError: ")
    finally:
        db.close()

writer = apsw.Connection("quiet.db")
writer.execute("pragma journal_mode = wal")
writer.execute("create table words (word); insert into words values ('kept')")
writer.close()
print("closed by its writer:", files("quiet"))
print("mode=ro reads", read("file:quiet.db?mode=ro"))
left = files("quiet")
print("closed by the reader:", left)

writer = apsw.Connection("busy.db")
writer.execute("pragma journal_mode = wal")
writer.execute("pragma wal_autocheckpoint = 0")
writer.execute("create table words (word); insert into words values ('in the log')")
for end in ("", "-wal"):
    shutil.copy(f"busy.db{end}", f"copy.db{end}")
immutable = read("file:copy.db?immutable=1")
print("immutable=1 beside a log reads:", immutable, files("copy"))
writer.close()

as_seen = left == {"quiet.db": left["quiet.db"], "quiet.db-shm": 32768, "quiet.db-wal": 0}
if as_seen and immutable == "no such table: words":
    print("seen: two files stay after reading, and immutable=1 passes over the log")
else:
    print("changed:", left, immutable)
    sys.exit(1)
PY
