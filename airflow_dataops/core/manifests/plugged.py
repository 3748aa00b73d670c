"""Readers of manifests that other packages bring."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.ports import Reader

GROUP = "airflow_dataops.readers"
"""The group of entry points; the name of one is the kind that files have in their names."""


@cache
def plugged_kinds() -> dict[str, EntryPoint]:
    """Return the readers of other packages, none of which is loaded, by kind."""
    return {found.name: found for found in entry_points(group=GROUP)}


def plugged_reader(kind: str) -> Reader:
    """Return the reader of a kind. Raises `ConfigError` where it cannot be loaded."""
    found = plugged_kinds()[kind]
    try:
        reader: Reader = found.load()
    except Exception as error:
        raise ConfigError(
            f"the reader of {kind!r} manifests, {found.value}, cannot be loaded: {error}; mend or "
            f"remove the package that brings it"
        ) from error
    return reader


def plugged_version(kind: str) -> str:
    """Return the version of the package that brings a reader; empty where it is not known."""
    dist = plugged_kinds()[kind].dist
    return "" if dist is None else dist.version
