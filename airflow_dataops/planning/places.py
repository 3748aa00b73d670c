"""Paths in a DAG file are relative to that file."""

from __future__ import annotations

import sys
from pathlib import Path

from airflow_dataops.errors import ConfigError
from airflow_dataops.planning.sources import ManifestSource, as_source

_PACKAGE = str(Path(__file__).parent.parent)


def locate_folder(path: str | Path | ManifestSource, what: str) -> Path | ManifestSource:
    """Return the absolute path of a folder that a DAG file names; a far one stays an address.

    Raises:
        ConfigError: it is no path.
    """
    if not isinstance(path, str | Path | ManifestSource):
        raise ConfigError(f"{what}={path!r}: write a path, an address or ManifestSource(...).")
    place = as_source(path)
    return place if isinstance(place, ManifestSource) else beside(caller_file(), place)


def beside(dag_file: str | Path, path: str | Path) -> Path:
    """Return the absolute path of a file that a DAG file names relative to itself.

    Where the DAG file's own path is relative (`DagBag("dags/")`, as in tests of DAG folders), what
    it makes of its `__file__` is relative to the current folder: that is looked for as well.
    """
    path = Path(path)
    folder = Path(dag_file).parent
    found = (folder / path).absolute()
    if not folder.is_absolute() and not found.exists() and path.exists():
        return path.absolute()
    return found


def caller_file() -> str:
    """Return the file that called into this package."""
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame.f_code.co_filename
