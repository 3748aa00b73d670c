"""A file of many small records that can be read at once, or one by one in constant time.

    magic | entries: a msgpack map | more entries | index | header | tail

`entries` is one valid msgpack map, so that all of it decodes in one go; what is more has the
same form. The index is a table of (place of the key, place of the record, end of the record),
sorted by key: a look-up halves it in the mapped file and reads one record, however many there
are. The tail holds the places of all parts and the length of the file, which tells a file that
is not whole.

A pack is written to a temporary name and moved into place, so readers see a whole one or none.
Format `map 32`: msgpack specification.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import sys
import tempfile
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

_MAGIC = b"dataops4"
_ROW = struct.Struct("<QQQ")
"""An index row: place of the key, place of the record, end of the record."""
_TAIL = struct.Struct(">QQQQQ")
"""End of the map, start of the index, start and length of the header, length of the file."""

_CHUNK = 1024 * 1024
"""Bytes that are gathered before they are written."""

_encode_into = msgspec.msgpack.Encoder().encode_into


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
        wanted = key.encode()
        low, high = 0, self._rows
        while low < high:
            middle = (low + high) // 2
            place, start, end = _ROW.unpack_from(self._data, self._index + middle * _ROW.size)
            found = bytes(self._data[place:start])
            if found == wanted:
                return self._data[start:end]
            if found < wanted:
                low = middle + 1
            else:
                high = middle
        return None


def write_pack(
    path: Path, header: bytes, entries: Mapping[str, object], more: Mapping[str, object]
) -> None:
    """Write a pack, whole or not at all. Raises `OSError` when the folder cannot be written.

    Args:
        entries: what the map holds; anything that msgspec can write.
        more: what can be read one by one only; no key may be in both.
    """
    with _replacing(path, 0o600) as file:
        writer = _Writer(file)
        writer.put(_MAGIC + struct.pack(">BI", 0xDF, len(entries)))
        writer.put_all(entries)
        map_end = writer.place
        writer.put_all(more)
        index = writer.place
        writer.put(writer.index())
        header_start = writer.place
        writer.put(header)
        size = writer.place + _TAIL.size
        writer.put(_TAIL.pack(map_end, index, header_start, len(header), size))


class _Writer:
    """Writes records one after another, and remembers where they are."""

    def __init__(self, file: BinaryIO) -> None:
        self.place = 0
        self._file = file
        self._rows: list[tuple[str, int, int]] = []

    def put(self, data: bytes | bytearray) -> None:
        self._file.write(data)
        self.place += len(data)

    def put_all(self, records: Mapping[str, object]) -> None:
        """Write pairs of key and record, as they are in a msgpack map."""
        buffer, rows = bytearray(), self._rows
        for key, record in records.items():
            _encode_into(key, buffer, -1)
            start = self.place + len(buffer)
            _encode_into(record, buffer, -1)
            rows.append((key, start, self.place + len(buffer)))
            if len(buffer) > _CHUNK:
                self.put(buffer)
                buffer.clear()
        self.put(buffer)

    def index(self) -> bytes:
        # Texts sort as their UTF-8 does.
        self._rows.sort()
        table = array("Q")
        for key, start, end in self._rows:
            length = len(key) if key.isascii() else len(key.encode())
            table.extend((start - length, start, end))
        if sys.byteorder == "big":
            table.byteswap()
        return table.tobytes()


def write_whole(path: Path, data: bytes | bytearray, mode: int = 0o600) -> None:
    """Write a file under a temporary name and move it into place; `mode` says who may read it."""
    with _replacing(path, mode) as file:
        file.write(data)


@contextlib.contextmanager
def _replacing(path: Path, mode: int) -> Iterator[BinaryIO]:
    """Open a file that takes the place of another once it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as file:
            yield file
            os.fchmod(file.fileno(), mode)
        temporary.replace(path)
    finally:
        # In place, it has this name no more.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
