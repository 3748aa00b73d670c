"""A file of many small records that can be read at once, or one by one in constant time.

    magic | entries: a msgpack map | more entries | index | header | tail

`entries` is one valid msgpack map, so that all of it decodes in one go. The index is a table
of (hash of the key, place, length), sorted by hash: a look-up halves it in the mapped file and
reads one record, however many there are. The tail holds the places of all parts and the length
of the file, which tells a file that is not whole.

A pack is written to a temporary name and moved into place, so readers see a whole one or none.
Format `map 32`: msgpack specification.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import tempfile
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAGIC = b"dataops3"
_ROW = struct.Struct(">QQI")
"""An index row: hash of the key, place of the record, its length."""
_TAIL = struct.Struct(">QQQQQ")
"""End of the map, start of the index, start and length of the header, length of the file."""

_encode = msgspec.msgpack.Encoder().encode

Entry = tuple[str, bytes]


class BrokenPackError(ValueError):
    """The file is no pack, or not a whole one: make it again."""


class Pack:
    """A pack, mapped into memory."""

    def __init__(self, path: Path) -> None:
        """Map the file. Raises `OSError` when it is not there, `BrokenPackError` when broken."""
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < len(_MAGIC) + _TAIL.size:
                raise BrokenPackError(path)
            self._data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        tail = _TAIL.unpack_from(self._data, len(self._data) - _TAIL.size)
        self._map_end, self._index, header, header_length, size = tail
        if size != len(self._data) or self._data[: len(_MAGIC)] != _MAGIC:
            raise BrokenPackError(path)
        self.header = self._data[header : header + header_length]
        self._rows = (header - self._index) // _ROW.size

    @property
    def entries(self) -> memoryview:
        """All entries of the map, as msgpack."""
        return self._data[len(_MAGIC) : self._map_end]

    def get(self, key: str) -> memoryview | None:
        """Return one record, None where there is none of that key."""
        wanted = _hash(key)
        low, high = 0, self._rows
        while low < high:
            middle = (low + high) // 2
            found, start, length = _ROW.unpack_from(self._data, self._index + middle * _ROW.size)
            if found == wanted:
                return self._data[start : start + length]
            if found < wanted:
                low = middle + 1
            else:
                high = middle
        return None


def write_pack(path: Path, header: bytes, entries: list[Entry], more: Iterable[Entry] = ()) -> None:
    """Write a pack, whole or not at all. Raises `OSError` when the folder cannot be written."""
    data = bytearray(_MAGIC)
    data += struct.pack(">BI", 0xDF, len(entries))
    rows = []
    for key, record in entries:
        data += _encode(key)
        rows.append((_hash(key), len(data), len(record)))
        data += record
    map_end = len(data)
    for key, record in more:
        rows.append((_hash(key), len(data), len(record)))
        data += record
    index = len(data)
    data += b"".join(_ROW.pack(*row) for row in _unique(sorted(rows)))
    header_start = len(data)
    data += header
    size = len(data) + _TAIL.size
    data += _TAIL.pack(map_end, index, header_start, len(header), size)
    write_whole(path, data)


def _unique(rows: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Refuse two keys of one hash: once in a billion packs, and then loud."""
    for row, after in pairwise(rows):
        if row[0] == after[0]:
            raise OSError("two keys of a pack have the same hash")
    return rows


def write_whole(path: Path, data: bytes | bytearray, mode: int = 0o600) -> None:
    """Write a file under a temporary name and move it into place; `mode` says who may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _hash(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest())
