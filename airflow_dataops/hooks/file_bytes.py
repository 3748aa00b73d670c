"""The bytes of a file that holds text: unpacked, in UTF-8, and all of them."""

from __future__ import annotations

import codecs
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 4 * 1024**2
_SUFFIXES = {"gz": "gzip", "gzip": "gzip", "zst": "zstd", "zstd": "zstd", "bz2": "bz2"}
_BOM = codecs.BOM_UTF8
_SIGNS = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bz2",
    b"PK\x03\x04": "zip",
    b"PAR1": "Parquet",
}
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Compression(StrEnum):
    """How a file is packed."""

    INFER = "infer"
    """As the end of its name says: .gz, .zst or .bz2."""
    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    BZ2 = "bz2"


def codec_of(path: str, compression: str) -> str | None:
    """Return Arrow's name of what a file is packed by.

    Raises:
        ConfigError: there is no such compression.
    """
    try:
        chosen = Compression(compression)
    except ValueError:
        raise ConfigError(
            f"compression={compression!r}: choose one of {', '.join(Compression)}."
        ) from None
    if chosen is Compression.INFER:
        return _SUFFIXES.get(path.rpartition("/")[2].rpartition(".")[2].lower())
    return None if chosen is Compression.NONE else str(chosen)


def text_blocks(file: Any, path: str, compression: str, encoding: str = "utf8") -> Iterator[bytes]:
    """Yield a file's text in UTF-8, some megabytes at a time, without its byte order mark.

    Args:
        file: is open for reading; stays open.
        path: names it in errors, and tells how it is packed.
        encoding: Python's name of how its characters are written.

    Raises:
        ConfigError: there is no such encoding or compression.
        RunError: it holds NUL bytes, is packed by something else, or is in UTF-16 without being
            said to be.
        OSError: it is packed, and cut or broken.
    """
    stream: Any = pa.PythonFile(file, "r")
    codec = codec_of(path, compression)
    if codec is not None:
        stream = pa.CompressedInputStream(stream, codec)
    if not _is_utf8(encoding):
        stream = pa.transcoding_input_stream(stream, encoding, "utf8")
    lines, first = 1, True
    while block := _whole_block(stream):
        if first:
            block = _begun(block, path)
            first = False
        zero = block.find(b"\0")
        if zero >= 0:
            line = lines + block.count(b"\n", 0, zero)
            raise RunError(
                f"{path}, line {line}: a NUL byte, which no text has. Mend the file; if it is "
                "UTF-16, name its encoding in `options`."
            )
        lines += block.count(b"\n")
        if block:
            yield block
    if first and codec is not None:
        _refuse_nothing(file, path, codec)


def _whole_block(stream: Any) -> bytes:
    """Return a block that is as large as can be: some storages give little at a time."""
    block: bytes = stream.read(BLOCK)
    while block and len(block) < BLOCK and (more := stream.read(BLOCK - len(block))):
        block += more
    # Arrow drops a line feed that begins a block after a carriage return, also inside of quotes.
    while block.endswith(b"\r") and (more := stream.read(1)):
        block += more
    return block


def _refuse_nothing(file: Any, path: str, codec: str) -> None:
    """Refuse a packed file of 0 bytes: what packs nothing has some."""
    if file.tell() == 0:
        raise RunError(f"{path}: it has 0 bytes, and is no {codec}: it is cut. Write it anew.")


def _begun(block: bytes, path: str) -> bytes:
    """Return a file's beginning without its byte order mark."""
    for sign, name in _SIGNS.items():
        if block.startswith(sign):
            raise RunError(
                f"{path}: it is packed by {name} and its name or format does not say so. Set "
                "compression or format, or name the file for it."
            )
    if block.startswith(_WIDE):
        raise RunError(f"{path}: it begins like UTF-16. Name its encoding in `options`.")
    return block.removeprefix(_BOM)


def _is_utf8(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
    except LookupError:
        raise ConfigError(f"encoding {encoding!r}: Python knows no such encoding.") from None
