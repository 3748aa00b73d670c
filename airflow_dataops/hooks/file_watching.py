"""Whether files are written whole: as many as must be, and a marker or a manifest says so."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_dataops.adapters.addresses import shown
from airflow_dataops.core.health.together import in_short
from airflow_dataops.core.health.watches import FilesWatch, Seen, Sight
from airflow_dataops.errors import ConfigError, RetryableError, RunError
from airflow_dataops.hooks.file_listing import list_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.hooks.file_listing import Listing

_SCHEME = re.compile(r"^[A-Za-z0-9+.-]+://")
_AT_ONCE = 8
_LARGEST = 16 << 20
"""Bytes of a manifest."""


def look_at_files(conn_id: str | None, watches: Sequence[FilesWatch]) -> list[Sight]:
    """Look at the files of each watch, several at a time."""
    with ThreadPoolExecutor(min(_AT_ONCE, len(watches))) as threads:
        return list(threads.map(lambda watch: _sight(conn_id, watch), watches))


def _sight(conn_id: str | None, watch: FilesWatch) -> Sight:
    try:
        return _look(conn_id, watch)
    except RetryableError as error:
        return Sight(seen=Seen.ERRORED, message=in_short(error))
    except (ConfigError, RunError) as error:
        return Sight(seen=Seen.WRONG, message=in_short(error))


def _look(conn_id: str | None, watch: FilesWatch) -> Sight:
    where = shown(watch.url)
    found = list_files(watch.url, conn_id)
    beside = {watch.marker, watch.manifest}
    files = {p: mark for p, mark in found.marks.items() if posixpath.basename(p) not in beside}
    folder = posixpath.dirname(watch.url)
    if not files:
        return Sight(seen=Seen.MISSING, message=f"{where}: there is no such file.")
    told = f"{where}: {len(files)} files"
    if len(files) < watch.min_files:
        return Sight(seen=Seen.WAITING, message=f"{told}; {watch.min_files} are waited for.")
    if watch.marker and not list_files(f"{folder}/{watch.marker}", conn_id).marks:
        return Sight(seen=Seen.WAITING, message=f"{told}; there is no {watch.marker} yet.")
    if watch.manifest:
        listed = list_files(f"{folder}/{watch.manifest}", conn_id)
        if not listed.marks:
            return Sight(seen=Seen.WAITING, message=f"{told}; there is no {watch.manifest} yet.")
        if missing := _missing(listed, files, watch.manifest):
            first = f"{missing[0]!r} and {len(missing) - 1} more" if missing[1:] else missing[0]
            message = f"{told}; {first}, listed in {watch.manifest}, not there as listed."
            return Sight(seen=Seen.WAITING, message=message)
    mark = sha256(msgspec.json.encode(sorted(files.items()))).hexdigest()
    return Sight(seen=Seen.MET, message=f"{told}.", mark=mark)


def _missing(listed: Listing, files: dict[str, str], name: str) -> list[str]:
    """Return what a manifest lists and is not there, or not in its length."""
    [path] = listed.marks
    storage = listed.storage
    if storage.size(path) > _LARGEST:
        raise RunError(f"{name} has more than {_LARGEST >> 20} MB; it is no list of files.")
    there = defaultdict(list)
    for each in files:
        there[posixpath.basename(each)].append(f"/{each}")
    missing = []
    for file, length in _entries(storage.cat_file(path), name):
        tail = "/" + _SCHEME.sub("", file).lstrip("/")
        found = next((p for p in there[posixpath.basename(file)] if p.endswith(tail)), None)
        if found is None or (length is not None and storage.size(found[1:]) != length):
            missing.append(file)
    return missing


def _entries(data: bytes, name: str) -> Iterator[tuple[str, int | None]]:
    """Yield (file, bytes or None) of a manifest: a JSON list, or `entries` as Redshift writes."""
    try:
        document = msgspec.json.decode(data)
        entries: Any = document
        if isinstance(document, dict):
            entries = document.get("entries", document.get("files"))
        for each in entries:
            if isinstance(each, str):
                yield each, None
            else:
                length = each.get("content_length", each.get("meta", {}).get("content_length"))
                yield str(each["url"] if "url" in each else each["name"]), length
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError, UnicodeDecodeError):
        raise RunError(
            f"{name} is no manifest: write a JSON list of file names, or "
            '{"entries": [{"url": ..., "meta": {"content_length": ...}}]}.'
        ) from None
