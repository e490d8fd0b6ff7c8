#!/usr/bin/env bash
# json_valid of DuckDB says that texts are JSON which no JSON parser takes: a comma behind the last
# element, nan and inf in any case. Not all is taken: comments and leading zeros are refused.
# (duckdb 2.0.0, Python 3.11)
#
# Seen: text, json_valid, whether Python's json takes it
#   [1,] True False
#   {"a":1,} True False
#   nan True False
#   -Infinity True False
#   01 False False
#   [1] True True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check install --quiet duckdb==2.0.0
cd "$folder"
seen=$(venv/bin/python - <<'PYTHON'
import json

import duckdb


def no_constant(name):
    raise ValueError(name)


for text in ("[1,]", "{\"a\":1,}", "nan", "-Infinity", "01", "[1]"):
    try:
        json.loads(text, parse_constant=no_constant)
        is_json = True
    except ValueError:
        is_json = False
    ((valid,),) = duckdb.execute("SELECT json_valid(?)", [text]).fetchall()
    print(text, valid, is_json)
PYTHON
)
expected=$(cat <<'TEXT'
[1,] True False
{"a":1,} True False
nan True False
-Infinity True False
01 False False
[1] True True
TEXT
)
echo "$seen"
test "$seen" = "$expected"
