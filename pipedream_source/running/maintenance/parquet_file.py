"""Rows from DuckDB to Parquet and back, a few megabytes at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ROWS_AT_ONCE = 2_048
_GROUP_BYTES = 32 * 1024 * 1024
_GROUP_ROWS = 100_000
Tell = Callable[[int], None]


def batches_of(
    connection: DuckDBPyConnection, query: str, parameters: Sequence[object]
) -> pa.RecordBatchReader:
    """Return the rows of a query as Arrow batches that come one by one."""
    relation: Any = connection.sql(query, params=list(parameters))
    # DuckDB 2.0 has the new name, 1.4 the old one.
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return read(_ROWS_AT_ONCE)


def write_parquet(batches: pa.RecordBatchReader, file: BinaryIO, tell: Tell) -> int:
    """Write all rows to a file.

    Args:
        batches: the rows.
        file: takes the Parquet file.
        tell: gets the number of rows so far.

    Returns:
        The number of rows.
    """
    count = nbytes = 0
    group: list[pa.RecordBatch] = []
    with parquet.ParquetWriter(
        file, batches.schema, compression="zstd", write_page_checksum=True
    ) as writer:
        for batch in batches:
            group.append(batch)
            nbytes += batch.nbytes
            count += batch.num_rows
            if nbytes >= _GROUP_BYTES or sum(b.num_rows for b in group) >= _GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(group))
                group, nbytes = [], 0
            tell(count)
        if group:
            writer.write_table(pa.Table.from_batches(group))
    return count


@contextmanager
def read_parquet(path: Path, columns: Sequence[str], tell: Tell) -> Iterator[pa.RecordBatchReader]:
    """Read columns of a file from the disk, each page's checksum compared.

    Args:
        path: the file.
        columns: which.
        tell: gets the number of rows so far.

    Raises:
        OSError: it is damaged.
    """
    stopped: list[BaseException] = []

    def batches() -> Iterator[pa.RecordBatch]:
        count = 0
        try:
            for group in range(file.num_row_groups):
                # An iterator keeps what it read, so each group has its own.
                for batch in file.iter_batches(_ROWS_AT_ONCE, [group], list(columns)):
                    count += batch.num_rows
                    tell(count)
                    yield batch
        except (Exception, KeyboardInterrupt) as error:
            stopped.append(error)
            raise

    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            schema = pa.schema([file.schema_arrow.field(name) for name in columns])
            yield pa.RecordBatchReader.from_batches(schema, batches())
    except Exception as error:
        # Whoever reads the batches makes an error of its own of one that ended them.
        cause = stopped[0] if stopped else error
        if isinstance(cause, pa.ArrowException):
            raise OSError(str(cause)) from None
        raise cause from None
