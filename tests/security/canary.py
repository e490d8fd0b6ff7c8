"""A secret's tell-tale forms, and the places where they are looked for."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import duckdb
import pyarrow.parquet as pq

#: Where a user keeps the key: the one file that may hold it.
SECRETS_FILE = ".dlt/secrets.toml"


def forms(secret: str) -> dict[str, bytes]:
    """Return the spellings in which a secret, or half of it, could be recognised."""
    middle = len(secret) // 2
    found = {
        "plain": secret,
        "first half": secret[:middle],
        "second half": secret[middle:],
        "reversed": secret[::-1],
        "URL": quote(secret, safe=""),
        "URL in lower case": quote(secret, safe="").replace("%2B", "%2b").replace("%2F", "%2f"),
        "form": quote_plus(secret),
        "JSON": json.dumps(secret)[1:-1],
        "JSON of JavaScript": json.dumps(secret)[1:-1].replace("/", "\\/"),
        "hex": secret.encode().hex(),
        "UTF-16": secret.encode("utf-16-le").decode("latin-1"),
    }
    for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for before in range(3):
            text = encode(bytes(before) + secret.encode()).decode()
            # The ends depend on what stands beside the secret.
            found[f"{name} after {before}"] = text[4 if before else 0 : -4]
    return {name: form.encode("latin-1") for name, form in found.items()}


def found_in(data: bytes | str, secrets: Mapping[str, str]) -> list[str]:
    """Name each secret and form of it that stands in some data."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return [
        f"{name}: {spelling}"
        for name, secret in secrets.items()
        for spelling, form in forms(secret).items()
        if form in raw
    ]


def leaks(folder: Path, secrets: Mapping[str, str], *, but: Iterable[str] = ()) -> list[str]:
    """Name the files under a folder, and the cells of its databases, that hold a secret."""
    allowed = {SECRETS_FILE, *but}
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [
        f"{path.relative_to(folder)}: {found}"
        for path in files
        if str(path.relative_to(folder)) not in allowed
        for data in contents(path)
        for found in found_in(data, secrets)
    ]


def contents(path: Path) -> Iterator[bytes]:
    """Yield a file's name, its bytes, and what is packed in them."""
    data = path.read_bytes()
    yield str(path).encode()
    yield data
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    elif data[:4] == b"PAR1":
        yield repr(pq.read_table(path).to_pylist()).encode()
    elif data[8:12] == b"DUCK":
        yield "\n".join(cells(path)).encode("utf-8", "backslashreplace")


def cells(database: Path) -> Iterator[str]:
    """Yield every value of every table, views and dlt's own tables included."""
    with duckdb.connect(str(database), read_only=True) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables"
        ).fetchall()
        for schema, table in tables:
            for row in connection.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall():
                yield from map(str, row)
