#!/usr/bin/env bash
# DuckDB 1 leaves is_generated of information_schema.columns null for every column, and gives what a computed column
# is computed from as its default. DESCRIBE shows defaults alone, in both. (duckdb 1.5.6 and 2.0.1, Python 3.11)
#
# Seen, for a plain column, a computed one and one with a default:
#   1.5.6 a: generated None, default None, described None
#   1.5.6 b: generated None, default CAST((a + 1) AS INTEGER), described None
#   1.5.6 c: generated None, default 3, described 3
#   2.0.1 a: generated NEVER, default None, described None
#   2.0.1 b: generated ALWAYS, default CAST((a + 1) AS INTEGER), described None
#   2.0.1 c: generated NEVER, default 3, described 3
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >columns.py <<'PYTHON'
import duckdb

connection = duckdb.connect()
connection.execute("CREATE TABLE t (a INTEGER, b INTEGER AS (a + 1), c INTEGER DEFAULT 3)").fetchall()
query = """SELECT c.column_name, is_generated, column_default, "default"
    FROM information_schema.columns AS c JOIN (DESCRIBE t) AS d ON c.column_name = d.column_name ORDER BY 1"""
for name, generated, default, described in connection.execute(query).fetchall():
    print(f"{duckdb.__version__} {name}: generated {generated}, default {default}, described {described}")
PYTHON
seen=$(
  for version in 1.5.6 2.0.1; do
    python3 -m venv "$version"
    "$version/bin/python" -m pip --disable-pip-version-check install --quiet "duckdb==$version"
    "$version/bin/python" columns.py
  done
)
expected=$(cat <<'TEXT'
1.5.6 a: generated None, default None, described None
1.5.6 b: generated None, default CAST((a + 1) AS INTEGER), described None
1.5.6 c: generated None, default 3, described 3
2.0.1 a: generated NEVER, default None, described None
2.0.1 b: generated ALWAYS, default CAST((a + 1) AS INTEGER), described None
2.0.1 c: generated NEVER, default 3, described 3
TEXT
)
echo "$seen"
test "$seen" = "$expected"
