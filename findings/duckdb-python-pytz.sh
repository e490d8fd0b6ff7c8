#!/usr/bin/env bash
# DuckDB's Python client before 2.0 cannot fetch a TIMESTAMP WITH TIME ZONE without pytz, and does not install it;
# pandas 3 does not bring it any more either. 2.0 uses zoneinfo. (duckdb 1.5.6 and 2.0.1, Python 3.11)
#
# Seen:
#   1.5.6 InvalidInputException: Invalid Input Error: Required module 'pytz' failed to import
#   1.5.6 with pytz: 2026-11-02 04:01:00-05:00
#   2.0.1 2026-11-02 04:01:00-05:00
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >fetch.py <<'PYTHON'
import sys

import duckdb

connection = duckdb.connect()
connection.execute("SET TimeZone = 'America/Bogota'").fetchall()
try:
    ((time,),) = connection.execute("SELECT TIMESTAMPTZ '2026-11-02 09:01:00+00'").fetchall()
except duckdb.Error as error:
    time = f"{type(error).__name__}: {str(error).split(',')[0]}"
print(duckdb.__version__, *sys.argv[1:], time)
PYTHON
for version in 1.5.6 2.0.1; do
  python3 -m venv "$version"
  "$version/bin/python" -m pip --disable-pip-version-check install --quiet "duckdb==$version"
done
seen=$(
  1.5.6/bin/python fetch.py
  1.5.6/bin/python -m pip --disable-pip-version-check install --quiet pytz==2026.6
  1.5.6/bin/python fetch.py with pytz:
  2.0.1/bin/python fetch.py
)
expected=$(cat <<'TEXT'
1.5.6 InvalidInputException: Invalid Input Error: Required module 'pytz' failed to import
1.5.6 with pytz: 2026-11-02 04:01:00-05:00
2.0.1 2026-11-02 04:01:00-05:00
TEXT
)
echo "$seen"
test "$seen" = "$expected"
