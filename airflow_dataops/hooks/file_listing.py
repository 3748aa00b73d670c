"""Which files there are, and whether they are still the same after they were read."""

from __future__ import annotations

import contextlib
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from airflow_dataops.adapters.addresses import shown
from airflow_dataops.adapters.downloads import OriginError
from airflow_dataops.core.globs import ANY_FOLDERS, coarser, has_wildcard, matches
from airflow_dataops.errors import ConfigError, RetryableError, RunError
from airflow_dataops.hooks.object_storage import content_mark, storage_path, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

log = logging.getLogger(__name__)

_KINDS = ("file", "directory")


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
        found = (_matching if has_wildcard(place.path) else _alone)(place.fs, place.path)
        ends = {path: _end(place.fs, path, info) for path, info in found.items()}
        files = {path: info for path, info in ends.items() if _is_file(path, info)}
        return Listing(place.fs, {path: content_mark(files[path]) for path in sorted(files)})


def _matching(storage: Any, pattern: str) -> dict[str, Any]:
    """Return what is under a pattern: the storage finds more, and what it is is asked here."""
    parts = pattern.split("/")
    if odd := next((each for each in parts if ANY_FOLDERS in each and each != ANY_FOLDERS), None):
        text = f"'**' stands for folders and is a part of its own, unlike in {odd!r}"
        raise OriginError(text, may_pass=False)
    found = storage.glob("/".join(coarser(parts)), detail=True)
    return {str(path): info for path, info in found.items() if matches(path.split("/"), parts)}


def _alone(storage: Any, path: str) -> dict[str, Any]:
    """Return the one file that is meant, if it is there; a folder is none."""
    there = storage.exists(path) and not storage.isdir(path)
    return {path: storage.info(path)} if there else {}


def _end(storage: Any, path: str, info: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of the file that a link leads to: it is listed as a link."""
    if info.get("type") not in _KINDS:
        with contextlib.suppress(FileNotFoundError):
            return cast("dict[str, Any]", storage.info(path))
    return info


def _is_file(path: str, info: Mapping[str, Any]) -> bool:
    """Tell a file from a folder. Raises `OriginError` for what a read may hang on."""
    if info.get("type") not in _KINDS:
        text = f"{path} is a pipe, a device, a socket or a broken link, no regular file"
        raise OriginError(text, may_pass=False)
    return bool(info["type"] == "file")


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
