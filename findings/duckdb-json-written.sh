#!/usr/bin/env bash
# What DuckDB writes as JSON is not always JSON, nor what a JSON column holds: to_json writes NaN and
# Infinity bare (and json_valid agrees), a DECIMAL of up to 18 digits loses its last zero, one of more
# does not; COPY with FORMAT json writes the numbers and escapes of a JSON column anew.
# (duckdb 2.0.0, Python 3.11)
#
# Seen:
#   [NaN] valid: True
#   {"a":Infinity} valid: True
#   1.1 and 12345678901234567890.10
#   stored {"a":1.10,"b":100000000000000000.25,"c":"x\u0026y"}
#   copied {"j":{"a":1.1,"b":100000000000000000.0,"c":"x&y"}}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check install --quiet duckdb==2.0.0
cd "$folder"
seen=$(venv/bin/python - <<'PYTHON'
from pathlib import Path

import duckdb

con = duckdb.connect()
for value in ("[CAST($$nan$$ AS DOUBLE)]", "{a: CAST($$inf$$ AS DOUBLE)}"):
    ((text, valid),) = con.execute(
        f"SELECT CAST(to_json({value}) AS VARCHAR), json_valid(to_json({value}))"
    ).fetchall()
    print(text, "valid:", valid)
((short, long),) = con.execute(
    "SELECT to_json(CAST(1.10 AS DECIMAL(9, 2))), "
    "to_json(CAST(12345678901234567890.10 AS DECIMAL(38, 2)))"
).fetchall()
print(short, "and", long)
sent = r"""{"a":1.10,"b":100000000000000000.25,"c":"x\u0026y"}"""
con.execute("CREATE TABLE t AS SELECT CAST(? AS JSON) AS j", [sent])
((stored,),) = con.execute("SELECT CAST(j AS VARCHAR) FROM t").fetchall()
print("stored", stored)
con.execute("COPY t TO $$t.json$$ (FORMAT json)")
print("copied", Path("t.json").read_text("utf-8").strip())
PYTHON
)
expected=$(cat <<'TEXT'
[NaN] valid: True
{"a":Infinity} valid: True
1.1 and 12345678901234567890.10
stored {"a":1.10,"b":100000000000000000.25,"c":"x\u0026y"}
copied {"j":{"a":1.1,"b":100000000000000000.0,"c":"x&y"}}
TEXT
)
echo "$seen"
test "$seen" = "$expected"
