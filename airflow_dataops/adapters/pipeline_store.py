"""Pipelines, read once per content of their files, and kept in the host's cache."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from airflow_dataops import __version__
from airflow_dataops.adapters import cache
from airflow_dataops.adapters.local_files import read_regular
from airflow_dataops.adapters.pipeline_files import LARGEST, FolderFiles
from airflow_dataops.core.model import Struct
from airflow_dataops.core.pipelines.faults import PipelineError
from airflow_dataops.core.pipelines.model import Pipeline


class Kept(Struct, frozen=True):
    """What was read of a file.

    Attributes:
        files: the key of the content of each file that it was made of, empty for one that was
            not there, by path.
    """

    files: dict[str, str]
    pipelines: tuple[Pipeline, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode


def open_pipelines(path: Path, root: Path, environment: str | None) -> tuple[Pipeline, ...]:
    """Return the pipelines of a file, from the cache or read now.

    Args:
        root: the folder that no file of a pipeline may be out of.
        environment: whose overrides hold; None for none.

    Raises:
        PipelineError: with all that is wrong in the file.
    """
    name = _name(path, root, environment)
    kept = cache.read(name, lambda pack: _decode(pack.header))
    if kept is not None and all(_is_same(Path(each), key) for each, key in kept.files.items()):
        return kept.pipelines
    files = FolderFiles(root)
    pipelines = read_file(path, files, environment)
    cache.store(name, _encode(Kept(files=files.read, pipelines=pipelines)))
    return pipelines


def read_file(path: Path, files: FolderFiles, environment: str | None) -> tuple[Pipeline, ...]:
    """Read the pipelines of a file. Raises `PipelineError`."""
    # Most processes find what they need in the cache, and never load the reader.
    from airflow_dataops.core.pipelines.read import read_pipelines

    pipelines, faults = read_pipelines(
        files.main(path),
        str(path),
        files,
        defaults=files.defaults(path),
        environment=environment,
    )
    if faults:
        raise PipelineError(str(path), faults)
    return tuple(pipelines)


def _name(path: Path, root: Path, environment: str | None) -> str:
    told = "\0".join((str(path), str(root), environment or "", __version__))
    return f"{hashlib.sha256(told.encode(errors='surrogateescape')).hexdigest()[:32]}.pipelines"


def _is_same(path: Path, key: str) -> bool:
    try:
        known = cache.known_key(path)
        return (known or cache.key_of(read_regular(path, LARGEST))) == key
    except OSError:
        return not key and not path.exists()
