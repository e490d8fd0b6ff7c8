#!/usr/bin/env bash
# `duckdb -json` writes a column of type JSON as a part of its own output, not as a text. JSON there may be more than
# the standard allows, as DuckDB takes NaN; then the whole output is no JSON. (duckdb-cli 1.5.6)
#
# Seen:
#   [{"as_it_is":{"a":NaN},"cast":"{\"a\":NaN}"}]
#   node: Unexpected token 'N'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check install --quiet duckdb-cli==1.5.6
cd "$folder"
query="SELECT '{\"a\":NaN}'::JSON AS as_it_is, as_it_is::VARCHAR AS \"cast\""
told=$(venv/bin/duckdb -json -c "$query")
read_it='try { JSON.parse(process.argv[1]) } catch (error) { console.log("node: " + error.message.split(",")[0]) }'
seen=$(echo "$told"; node -e "$read_it" "$told")
expected=$(cat <<'TEXT'
[{"as_it_is":{"a":NaN},"cast":"{\"a\":NaN}"}]
node: Unexpected token 'N'
TEXT
)
echo "$seen"
test "$seen" = "$expected"
