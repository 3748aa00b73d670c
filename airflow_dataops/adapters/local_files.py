"""Files of this host that others wrote: read whole, with nothing that hangs or has no end."""

from __future__ import annotations

import os
import stat
import zlib
from typing import IO, TYPE_CHECKING

from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 1024**3
"""Bytes that a file may have."""
LARGEST_SETTINGS = 2 * 1024**2
"""Bytes of a file that a person writes; what reads YAML takes a second for each 100 kB."""
_SUM = 9
"""Bytes of a seal: a new line and a checksum in eight hexadecimal digits."""


class NoFileError(OSError):
    """It is there, but is no regular file: a pipe, a device, a socket. Or it is too large."""


def open_regular(path: Path) -> IO[bytes]:
    """Open a file to read; to open a named pipe without a writer would hang.

    Raises:
        OSError: it is not there, may not be read, or is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(21, os.strerror(21), str(path))
        if not stat.S_ISREG(mode):
            raise NoFileError(22, "it is a pipe, a device or a socket, no regular file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, largest: int = LARGEST) -> bytes:
    """Return what is in a file; errors as for `open_regular`, or it is larger than that."""
    with open_regular(path) as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise NoFileError(27, f"it is larger than {largest // 1024**2} MB")
    return data


def read_settings_file(path: Path) -> bytes:
    """Return what is in a file of settings.

    Raises:
        ConfigError: it cannot be read; says which, and why.
    """
    try:
        return read_regular(path, LARGEST_SETTINGS)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from None


def sealed(data: bytes) -> bytes:
    """Return data with a checksum at its end (CRC 32, which no single flipped byte escapes)."""
    return b"%s\n%08x" % (data, zlib.crc32(data))


def unsealed(data: bytes) -> bytes | None:
    """Return sealed data without its checksum, None where they do not fit."""
    content = data[:-_SUM]
    return content if len(data) >= _SUM and data == sealed(content) else None
