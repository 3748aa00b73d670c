"""The schedule that a project's metadata asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.schedule import split_zone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.model import Node

_PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")


def schedule_of(nodes: Iterable[Node]) -> str | None:
    """Return the one schedule that keeps every node's promise, None where none is set.

    Where nodes ask for several, that is the most frequent preset; cron expressions are
    taken to be more frequent than any preset, the alphabetically first one wins.
    """
    asked = {node.orchestration.schedule for node in nodes}
    return min((schedule for schedule in asked if schedule), key=rank, default=None)


def rank(schedule: str) -> tuple[int, str]:
    """Return what sorts schedules from the most frequent to the rarest."""
    text, _ = split_zone(schedule)
    place = _PRESETS.index(text) + 1 if text in _PRESETS else 0
    return (len(_PRESETS) + 1 if text == "@once" else place, schedule)
