#!/usr/bin/env bash
# The text of a view depends on the storage version of the file that it stands in: a v2.0.0 file keeps the
# brackets around joins and a list of UNIONs, a v1.2.0 file drops the first and nests the second. So after
# COPY FROM DATABASE between the two, duckdb_views().sql differs although the views are the same.
# (duckdb 2.0.1, Python 3.11)
#
# Seen:
#   v2.0.0 CREATE VIEW joined AS SELECT a.m FROM (t AS a LEFT JOIN t AS b USING (m));
#   v2.0.0 CREATE VIEW united AS (SELECT 1) UNION ALL (SELECT 2)UNION ALL (SELECT 3);
#   v1.2.0 CREATE VIEW joined AS SELECT a.m FROM t AS a LEFT JOIN t AS b USING (m);
#   v1.2.0 CREATE VIEW united AS (SELECT 1) UNION ALL ((SELECT 2) UNION ALL (SELECT 3));
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check install --quiet duckdb==2.0.1
cd "$folder"
seen=$(venv/bin/python - <<'PYTHON'
import duckdb

VERSIONS = {"new": "v2.0.0", "old": "v1.2.0"}
with duckdb.connect() as database:
    for name, version in VERSIONS.items():
        database.execute(f"ATTACH '{name}.duckdb' (STORAGE_VERSION '{version}')")
    database.execute("USE new")
    database.execute("CREATE TABLE t (m INTEGER)")
    database.execute("CREATE VIEW joined AS SELECT a.m FROM t a LEFT JOIN t b USING (m)")
    database.execute("CREATE VIEW united AS SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3")
with duckdb.connect() as database:
    database.execute("ATTACH 'new.duckdb' (READ_ONLY)")
    database.execute("ATTACH 'old.duckdb'")
    database.execute("USE old")
    database.execute("COPY FROM DATABASE new TO old")
for name, version in VERSIONS.items():
    with duckdb.connect(f"{name}.duckdb", read_only=True) as database:
        query = "SELECT sql FROM duckdb_views() WHERE NOT internal ORDER BY view_name"
        for (text,) in database.execute(query).fetchall():
            print(version, text)
PYTHON
)
expected=$(cat <<'TEXT'
v2.0.0 CREATE VIEW joined AS SELECT a.m FROM (t AS a LEFT JOIN t AS b USING (m));
v2.0.0 CREATE VIEW united AS (SELECT 1) UNION ALL (SELECT 2)UNION ALL (SELECT 3);
v1.2.0 CREATE VIEW joined AS SELECT a.m FROM t AS a LEFT JOIN t AS b USING (m);
v1.2.0 CREATE VIEW united AS (SELECT 1) UNION ALL ((SELECT 2) UNION ALL (SELECT 3));
TEXT
)
echo "$seen"
test "$seen" = "$expected"
