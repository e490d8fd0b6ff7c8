#!/usr/bin/env bash
# A regular expression that begins with an empty group, such as (?:)ab, matches nothing in DuckDB if it
# is a constant, and what it should if it comes from a column: a constant is turned into a plain search
# for a text, and the empty group into a wrong one. (duckdb 2.0.1, Python 3.11)
#
# Seen:
#   constant (?:)ab: False
#   column (?:)ab: True
#   constant (ab): True
#   column (ab): True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check install --quiet duckdb==2.0.1
cd "$folder"
seen=$(venv/bin/python - <<'PYTHON'
import duckdb

for pattern in ("(?:)ab", "(ab)"):
    constant = f"SELECT regexp_matches(t, '{pattern}') FROM (VALUES ('xab')) AS v(t)"
    column = f"SELECT regexp_matches(t, p) FROM (VALUES ('xab', '{pattern}')) AS v(t, p)"
    for kind, query in (("constant", constant), ("column", column)):
        ((found,),) = duckdb.execute(query).fetchall()
        print(f"{kind} {pattern}: {found}")
PYTHON
)
expected=$(cat <<'TEXT'
constant (?:)ab: False
column (?:)ab: True
constant (ab): True
column (ab): True
TEXT
)
echo "$seen"
test "$seen" = "$expected"
