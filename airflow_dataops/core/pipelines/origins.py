"""The JSON path of a fault in the file it is in, where layers and parameters led to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.pipelines.located import Map, Seq
from airflow_dataops.core.pipelines.report import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.pipelines.faults import Fault, Place
    from airflow_dataops.core.pipelines.report import Path


def with_origins(faults: Sequence[Fault], documents: Sequence[Map]) -> list[Fault]:
    """Return faults with paths of the documents as they were written."""
    if not faults:
        return []
    paths: dict[Place, list[str]] = {}
    for document in documents:
        for place, path in _places(document, ()):
            paths.setdefault(place, []).append(shown(path))
    return [replace(fault, path=_nearest(fault.path, paths.get(fault.place))) for fault in faults]


def _nearest(path: str, written: list[str] | None) -> str:
    if not written or path in written:
        return path
    last = path.rpartition(".")[2]
    return next((each for each in written if each.endswith(f".{last}")), written[0])


def _places(value: Map | Seq, path: Path) -> Iterator[tuple[Place, Path]]:
    for key, part in value.items() if isinstance(value, Map) else enumerate(value):
        where = (*path, key)
        if isinstance(value, Map):
            yield value.keys_at[key], where
        yield value.values_at[key], where
        if isinstance(part, Map | Seq):
            yield from _places(part, where)
