#!/usr/bin/env bash
# Snowball's stemmer for Portuguese gives the singular and the plural of words in -ão different stems.
#
# Guess: reunião and reuniões (meeting, meetings) have one stem, as casa and casas do: it is the language's usual plural.
# Really: the stems are reuniã and reuniõ, cartã and cartõ, naçã and naçõ. Only -ãos and -ães meet -ão. The algorithm writes ã and õ
#   as a~ and o~ while it works, and no step makes one of them.
# Version: snowballstemmer 3.0.1 (PyPI); the crate rust-stemmers 1.2.0 does the same.
# Source: https://snowballstem.org/algorithms/portuguese/stemmer.html; observed.
# Date: 2026-11-30.
# For us: src/text/search/forms.rs adds the singular in -ao to words in -ões, -ães and -ãos.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check snowballstemmer==3.0.1

cat >"$dir/ask.py" <<'PYTHON'
import sys
from importlib.metadata import version

import snowballstemmer

print("snowballstemmer", version("snowballstemmer"))
stem = snowballstemmer.stemmer("portuguese").stemWord
alike = {}
for one, many in (("casa", "casas"), ("reunião", "reuniões"), ("cartão", "cartões"), ("nação", "nações")):
    alike[one] = stem(one) == stem(many)
    print(f"{one}: {stem(one)}, {many}: {stem(many)}")
if list(alike.values()) == [True, False, False, False]:
    print("seen: words in -ão and their plurals in -ões have different stems")
else:
    print("changed: they have the same")
    sys.exit(1)
PYTHON
"$dir/venv/bin/python" "$dir/ask.py"
