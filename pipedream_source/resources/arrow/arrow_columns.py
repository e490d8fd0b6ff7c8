"""Arrow columns straight from buffers.

`pyarrow.array` imports pandas at its first call, which costs more than polling a hundred windows,
and looks at each payload as a Python object. Here the bytes of all texts are joined once, and
Arrow is told where each begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

TIME: Final = pa.timestamp("us", tz="UTC")
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def texts(values: Sequence[Any]) -> pa.Array:
    """Build a string column from UTF-8 texts as bytes, or as msgspec.Raw, or None."""
    try:
        return _string_array(list(map(len, values)), b"".join(values), None)
    except TypeError:
        # To look for None first takes as long as all the rest.
        present = [b"" if value is None else value for value in values]
        return _string_array(list(map(len, present)), b"".join(present), _validity(values))


def strings(values: Sequence[str | None]) -> pa.Array:
    """Build a string column from Python strings or None."""
    validity = _validity(values)
    present = ["" if v is None else v for v in values] if validity else cast(list[str], values)
    joined = "".join(present)
    if joined.isascii():
        return _string_array(list(map(len, present)), joined.encode(), validity)
    encoded = [value.encode() for value in present]
    return _string_array(list(map(len, encoded)), b"".join(encoded), validity)


def repeated(text: str, count: int) -> pa.Array:
    """Build a string column that holds one text throughout."""
    encoded = text.encode()
    return _string_array([len(encoded)] * count, encoded * count, None)


def joined(*columns: pa.Array) -> pa.Array:
    """Build a string column of the texts of some columns with colons between."""
    return pc.binary_join_element_wise(*columns, repeated(":", len(columns[0])))


def _string_array(sizes: list[int], data: bytes, validity: pa.Buffer | None) -> pa.Array:
    offsets = np.zeros(len(sizes) + 1, np.int32)
    np.cumsum(np.array(sizes, np.int64), out=offsets[1:])
    buffers = (pa.py_buffer(offsets), pa.py_buffer(data))
    return pa.StringArray.from_buffers(len(sizes), *buffers, validity)


def integers(
    values: Sequence[int | None], kind: pa.DataType | None = None, scale: int = 1
) -> pa.Array:
    """Build a column of integers, or another 64-bit type, from integers or None times `scale`."""
    validity = _validity(values)
    present = [0 if value is None else value for value in values] if validity else values
    numbers = np.array(present, np.int64) * scale
    return pa.Array.from_buffers(kind or pa.int64(), len(values), [validity, pa.py_buffer(numbers)])


def floats(values: Sequence[float | None]) -> pa.Array:
    """Build a column of doubles from numbers or None."""
    numbers = np.array([0.0 if value is None else value for value in values], np.float64)
    return pa.Array.from_buffers(
        pa.float64(), len(values), [_validity(values), pa.py_buffer(numbers)]
    )


def booleans(values: Sequence[bool | None]) -> pa.Array:
    """Build a column of booleans from True, False or None."""
    bits = _bits([bool(value) for value in values])
    return pa.Array.from_buffers(pa.bool_(), len(values), [_validity(values), bits])


def times(values: Sequence[datetime | None]) -> pa.Array:
    """Build a column of UTC times from aware datetimes or None."""
    return integers([None if v is None else _microseconds(v) for v in values], TIME)


def _microseconds(moment: datetime) -> int:
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _validity(values: Sequence[Any]) -> pa.Buffer | None:
    if None not in values:
        return None
    return _bits([value is not None for value in values])


def _bits(values: list[bool]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(np.array(values, np.bool_), bitorder="little"))


#: How a column of each dlt data type is built.
BUILDERS: Final[Mapping[str, Callable[[Sequence[Any]], pa.Array]]] = {
    "text": strings,
    "json": strings,
    "bigint": integers,
    "double": floats,
    "bool": booleans,
    "timestamp": times,
}
