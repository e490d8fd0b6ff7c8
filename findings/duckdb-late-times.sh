#!/usr/bin/env bash
# A TIMESTAMP or TIMESTAMPTZ beyond the year 9999 is given to Python as a text, in a column whose
# other values are datetimes: comparing, sorting or formatting them fails at that one row.
# (duckdb 2.0.0, Python 3.11)
#
# Seen:
#   datetime 2026-01-01 00:00:00+00:00
#   str 33658-09-27 01:46:40+00
#   str 33658-09-27 01:46:40
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check install --quiet duckdb==2.0.0 pytz==2025.2
cd "$folder"
seen=$(venv/bin/python - <<'PYTHON'
import duckdb

con = duckdb.connect()
con.execute("SET TimeZone = $$UTC$$")
rows = con.execute(
    "SELECT unnest([TIMESTAMPTZ $$2026-01-01 00:00:00+00$$, TIMESTAMPTZ $$33658-09-27 01:46:40+00$$])"
).fetchall() + con.execute("SELECT TIMESTAMP $$33658-09-27 01:46:40$$").fetchall()
for (value,) in rows:
    print(type(value).__name__, value)
PYTHON
)
expected=$(cat <<'TEXT'
datetime 2026-01-01 00:00:00+00:00
str 33658-09-27 01:46:40+00
str 33658-09-27 01:46:40
TEXT
)
echo "$seen"
test "$seen" = "$expected"
