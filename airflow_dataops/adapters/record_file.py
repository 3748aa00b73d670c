"""A file of many small records that can be read at once, or one by one in constant time.

    magic | entries: a msgpack map | more entries | index | header | tail

`entries` is one valid msgpack map, so that all of it decodes in one go; what is more has the
same form. The index is a table of (place of the key, place of the record, end of the record,
checksum of the record, checksum of the row with its number and key), sorted by key: a look-up
halves it in the mapped file and reads one record, however many there are. The tail holds the
places of all parts, the length of the file, and the checksums of the map, of the header and, with
the file's name, of itself.

So whatever is read was checked, and no more than that: a damaged file raises
`BrokenRecordFileError` where it is damaged, and one of another name where it is opened.

It is written to a temporary name and moved into place, so readers see a whole one or none.
Format `map 32`: msgpack specification.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.adapters.local_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

_MAGIC = b"dataops5"
_ROW = struct.Struct("<QQQQ")
"""An index row: places of key and record, end of the record, two checksums of 32 bits."""
_TAIL = struct.Struct(">QQQQQIII")
"""End of the map, start of the index, start and length of the header, length of the file; the
checksums of the map, of the header and of the tail."""
_PLACES = struct.Struct(">QQQQQII")
_SHIFT = 32

_CHUNK = 1024 * 1024
"""Bytes that are gathered before they are written."""

_encode_into = msgspec.msgpack.Encoder().encode_into


class BrokenRecordFileError(ValueError):
    """The file is no record file, or not a whole one: make it again."""


class RecordFile:
    """A record file, mapped into memory."""

    def __init__(self, path: Path) -> None:
        """Map the file. Raises `OSError` without one, `BrokenRecordFileError` when broken."""
        self._path = path
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size < len(_MAGIC) + _TAIL.size:
                raise BrokenRecordFileError(path)
            self._data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        tail = self._data[-_TAIL.size :]
        *places, self._map_sum, header_sum, tail_sum = _TAIL.unpack(tail)
        self._map_end, self._index, header, length, size = places
        self._check(_tail_sum(path, bytes(tail[: _PLACES.size])) == tail_sum)
        self._check(size == len(self._data) and self._data[: len(_MAGIC)] == _MAGIC)
        self.header = self._data[header : header + length]
        self._check(zlib.crc32(self.header) == header_sum)
        self._rows = (header - self._index) // _ROW.size

    @property
    def entries(self) -> memoryview:
        """All entries of the map, as msgpack. Raises `BrokenRecordFileError`."""
        entries = self._data[len(_MAGIC) : self._map_end]
        self._check(zlib.crc32(entries) == self._map_sum)
        return entries

    def get(self, key: str) -> memoryview | None:
        """Return one record, None for a key without one. Raises `BrokenRecordFileError`."""
        wanted = key.encode()
        low, high = 0, self._rows
        while low < high:
            middle = (low + high) // 2
            place, start, end, sums = _ROW.unpack_from(self._data, self._index + middle * _ROW.size)
            found = bytes(self._data[place:start])
            record_sum = sums >> _SHIFT
            row = _row_sum(found, middle, place, start, end, record_sum)
            self._check(sums == record_sum << _SHIFT | row)
            if found == wanted:
                record = self._data[start:end]
                self._check(zlib.crc32(record) == record_sum)
                return record
            if found < wanted:
                low = middle + 1
            else:
                high = middle
        return None

    def _check(self, is_whole: bool) -> None:
        if not is_whole:
            raise BrokenRecordFileError(self._path)


def _row_sum(key: bytes, number: int, place: int, start: int, end: int, record_sum: int) -> int:
    return zlib.crc32(_ROW.pack(place, start, end, record_sum << _SHIFT | number), zlib.crc32(key))


def _tail_sum(path: Path, places: bytes) -> int:
    return zlib.crc32(places, zlib.crc32(path.name.encode()))


def write_records(
    path: Path, header: bytes, entries: Mapping[str, object], more: Mapping[str, object]
) -> None:
    """Write a record file, whole or not at all. Raises `OSError` when the folder cannot be written.

    Args:
        entries: what the map holds; anything that msgspec can write.
        more: what can be read one by one only; no key may be in both.
    """
    with _replacing(path, 0o600) as file:
        writer = _Writer(file)
        writer.put(_MAGIC)
        writer.sum = 0
        writer.put(struct.pack(">BI", 0xDF, len(entries)))
        writer.put_all(entries)
        map_end, map_sum = writer.place, writer.sum
        writer.put_all(more)
        index = writer.place
        writer.put(writer.index())
        header_start = writer.place
        writer.put(header)
        size = writer.place + _TAIL.size
        sums = map_sum, zlib.crc32(header)
        places = _PLACES.pack(map_end, index, header_start, len(header), size, *sums)
        writer.put(places + _tail_sum(path, places).to_bytes(4, "big"))


class _Writer:
    """Writes records one after another, and remembers where they are."""

    def __init__(self, file: BinaryIO) -> None:
        self.place = 0
        self.sum = 0
        """The checksum of what was put since this was 0."""
        self._file = file
        self._rows: list[tuple[str, int, int, int]] = []

    def put(self, data: bytes | bytearray) -> None:
        self._file.write(data)
        self.sum = zlib.crc32(data, self.sum)
        self.place += len(data)

    def put_all(self, records: Mapping[str, object]) -> None:
        """Write pairs of key and record, as they are in a msgpack map."""
        buffer, rows, crc32 = bytearray(), self._rows, zlib.crc32
        for key, record in records.items():
            _encode_into(key, buffer, -1)
            begin = len(buffer)
            _encode_into(record, buffer, -1)
            record_sum = crc32(memoryview(buffer)[begin:])
            rows.append((key, self.place + begin, self.place + len(buffer), record_sum))
            if len(buffer) > _CHUNK:
                self.put(buffer)
                buffer = bytearray()
        self.put(buffer)

    def index(self) -> bytes:
        # Texts sort as their UTF-8 does.
        self._rows.sort()
        table = bytearray()
        for number, (text, start, end, record_sum) in enumerate(self._rows):
            key = text.encode()
            place = start - len(key)
            row = _row_sum(key, number, place, start, end, record_sum)
            table += _ROW.pack(place, start, end, record_sum << _SHIFT | row)
        return bytes(table)


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
