#!/usr/bin/env bash
# A patch release of SQLAlchemy took reflection away from DuckDB: from 2.0.55 on the Postgres dialect, which
# duckdb-engine builds on, reads catalogs and types that DuckDB lacks, and so does 2.1.
# (duckdb-engine 0.17.0, duckdb 2.0.1, Python 3.11)
#
# Seen:
#   2.0.54: t(n)
#   2.0.55: ProgrammingError: Type with name REGCLASS does not exist!
#   2.1.9: ProgrammingError: Referenced table "pg_catalog.pg_collation" not found!
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >reflect.py <<'PYTHON'
import re
import warnings

import sqlalchemy

warnings.simplefilter("ignore")
engine = sqlalchemy.create_engine("duckdb:///t.duckdb")
metadata = sqlalchemy.MetaData()
try:
    metadata.reflect(engine)
    found = ", ".join(f"{table.name}({', '.join(table.c.keys())})" for table in metadata.tables.values())
except sqlalchemy.exc.ProgrammingError as error:
    found = f"{type(error).__name__}: {re.search(r'Error: (.*)', str(error))[1]}"
print(f"{sqlalchemy.__version__}: {found}")
PYTHON
python3 -m venv venv
install() { venv/bin/python -m pip --disable-pip-version-check install --quiet "$@"; }
install duckdb-engine==0.17.0 duckdb==2.0.1 sqlalchemy==2.0.54
venv/bin/python -c 'import duckdb; duckdb.connect("t.duckdb").execute("CREATE TABLE t (n INTEGER)").fetchall()'
seen=$(
  for version in 2.0.54 2.0.55 2.1.9; do
    install "sqlalchemy==$version"
    venv/bin/python reflect.py
  done
)
expected=$(cat <<'TEXT'
2.0.54: t(n)
2.0.55: ProgrammingError: Type with name REGCLASS does not exist!
2.1.9: ProgrammingError: Referenced table "pg_catalog.pg_collation" not found!
TEXT
)
echo "$seen"
test "$seen" = "$expected"
