"""Which files there are, and whether they are still the same after they were read."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_dataops.adapters.addresses import shown
from airflow_dataops.adapters.downloads import OriginError
from airflow_dataops.errors import ConfigError, RetryableError, RunError
from airflow_dataops.hooks.object_storage import content_mark, storage_path, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

log = logging.getLogger(__name__)

_PATTERN = frozenset("*?[")


class Listing(NamedTuple):
    """Files, sorted by path, each with a mark that changes with its content.

    Attributes:
        storage: fsspec's file system.
    """

    storage: Any
    marks: Mapping[str, str]


def list_files(url: str, conn_id: str | None) -> Listing:
    """Find the files of a path with or without a pattern; there may be none.

    Raises:
        ConfigError: the path holds `..`.
        RunError, RetryableError: the storage cannot be asked.
    """
    if ".." in url.replace("\\", "/").split("/"):
        raise ConfigError(f"{shown(url)}: a path may not hold '..'; write where the files are.")
    with _named(shown(url)):
        place = storage_path(url, conn_id)
        place.fs.invalidate_cache()
        if _PATTERN & set(place.path):
            found = place.fs.glob(place.path, detail=True)
        else:
            there = place.fs.isfile(place.path)
            found = {place.path: place.fs.info(place.path)} if there else {}
        files = {str(path): info for path, info in found.items() if info.get("type") == "file"}
        return Listing(place.fs, {path: content_mark(files[path]) for path in sorted(files)})


def check_unchanged(url: str, conn_id: str | None, read: Listing) -> None:
    """Fail if files that were read have changed meanwhile; tell of new ones.

    Raises:
        RetryableError: the message names them.
    """
    now = list_files(url, conn_id).marks
    changed = [path for path, mark in read.marks.items() if now.get(path) != mark]
    if changed:
        raise RetryableError(
            f"{', '.join(changed[:3])}: changed or gone while being read ({len(changed)} of "
            f"{len(read.marks)} files). Nothing was written; run the task again once they are "
            "written as a whole."
        )
    new = [path for path in now if path not in read.marks]
    if new:
        log.warning(
            "%s: %d files came while others were read, and are not loaded: %s",
            *(shown(url), len(new), ", ".join(new[:3])),
        )


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        with told():
            yield
    except OriginError as error:
        kind = RetryableError if error.may_pass else RunError
        raise kind(f"{name}: {error}") from error
