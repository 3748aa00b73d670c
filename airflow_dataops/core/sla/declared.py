"""SLAs as plain JSON: how they travel in a serialized DAG, as `default_args["slas"]`.

SLAs that differ in their task alone share one entry, so that ten thousand of them are small.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import asdict, replace

from airflow_dataops.core.decoding import convert
from airflow_dataops.core.sla.policies import Sla

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY = "slas"
"""The key in a DAG's `default_args`."""
TAG = "sla"
"""The tag of the DAGs that have SLAs."""


class _Entry(Sla, frozen=True, forbid_unknown_fields=True):
    """One SLA, or the same one of several tasks."""

    task_ids: tuple[str, ...] = ()


def slas_to_json(slas: Iterable[Sla]) -> list[dict[str, Any]]:
    """Return SLAs as JSON data: the same for the same SLAs, in whatever order they come."""
    shared: dict[bytes, set[str]] = defaultdict(set)
    common: dict[bytes, Sla] = {}
    for sla in slas:
        alike = replace(sla, task_id=None)
        key = msgspec.json.encode(alike)
        common[key] = alike
        if sla.task_id is not None:
            shared[key].add(sla.task_id)
    return [_entry(common[key], sorted(shared[key])) for key in sorted(common)]


def slas_from_json(entries: Any, source: str = "slas") -> tuple[Sla, ...]:
    """Return the SLAs that `slas_to_json` wrote.

    Args:
        source: where the data comes from, for the message.

    Raises:
        ConfigError: it is not such data; tells all mistakes at once, each with its path.
    """
    try:
        found = msgspec.convert(entries, tuple[_Entry, ...])
    except msgspec.ValidationError:
        found = convert(entries, tuple[_Entry, ...], source=source)
    return tuple(sla for entry in found for sla in _slas_of(entry))


def _entry(common: Sla, task_ids: list[str]) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(common)
    if len(task_ids) == 1:
        return data | {"task_id": task_ids[0]}
    return data | ({"task_ids": task_ids} if task_ids else {})


def _slas_of(entry: _Entry) -> Iterable[Sla]:
    fields = asdict(entry)
    task_ids = fields.pop("task_ids") or (entry.task_id,)
    first = Sla(**fields)
    return (replace(first, task_id=task_id) for task_id in task_ids)
