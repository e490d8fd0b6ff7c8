#!/usr/bin/env bash
# In DuckDB's JSON paths a star is a wildcard in quotes too, so a key that is named * cannot be read by
# a path: the answer is a list of all values. A JSON pointer reads it. (duckdb 2.0.0, Python 3.11)
#
# Seen:
#   path $."*": ['1', '2']
#   pointer /*: 1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check install --quiet duckdb==2.0.0
cd "$folder"
seen=$(venv/bin/python - <<'PYTHON'
import duckdb

text = """{"*":1,"a":2}"""
for kind, path in (("path", "$.\"*\""), ("pointer", "/*")):
    ((value,),) = duckdb.execute("SELECT json_extract(CAST(? AS JSON), ?)", [text, path]).fetchall()
    print(f"{kind} {path}: {value}")
PYTHON
)
expected=$(cat <<'TEXT'
path $."*": ['1', '2']
pointer /*: 1
TEXT
)
echo "$seen"
test "$seen" = "$expected"
