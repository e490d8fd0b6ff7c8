#!/usr/bin/env bash
# duckdb's Python client up to 1.4.5 binds an integer of more than 64 bits as a DOUBLE, although
# HUGEINT has 128: it is rounded without a word, and `BETWEEN ? AND ?` on HUGEINT answers wrong. 1.5.0
# and 2.0.1 bind a HUGEINT. (Python 3.11)
#
# Seen:
#   duckdb 1.4.5: DOUBLE, is 10^30 between 0 and 10^30 - 1: True
#   duckdb 1.5.0: HUGEINT, is 10^30 between 0 and 10^30 - 1: False
#   duckdb 2.0.1: HUGEINT, is 10^30 between 0 and 10^30 - 1: False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/bind.py" <<'PYTHON'
import duckdb

wide = 10**30
connection = duckdb.connect()
((kind, between),) = connection.execute(
    "SELECT typeof(?), ('1' || repeat('0', 30))::HUGEINT BETWEEN ? AND ?", [wide, 0, wide - 1]
).fetchall()
print(f"{kind}, is 10^30 between 0 and 10^30 - 1: {between}")
PYTHON
seen=""
for version in 1.4.5 1.5.0 2.0.1; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/python" -m pip --disable-pip-version-check install --quiet "duckdb==$version"
  said=$("$folder/$version/bin/python" "$folder/bind.py")
  echo "duckdb $version: $said"
  seen="$seen${said%%,*} ${said##* };"
done
test "$seen" = "DOUBLE True;HUGEINT False;HUGEINT False;"
