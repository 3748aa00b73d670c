"""The schedule that a project's metadata asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.model import Node

_PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")


def schedule_of(nodes: Iterable[Node]) -> str | None:
    """Return the one schedule that keeps every node's promise, None where none is set.

    Where nodes ask for several, that is the most frequent preset; cron expressions are
    taken to be more frequent than any preset, the alphabetically first one wins.
    """
    asked = {node.orchestration.schedule for node in nodes} - {None}
    crons = sorted(schedule for schedule in asked if schedule and schedule not in _PRESETS)
    presets = [preset for preset in _PRESETS if preset in asked]
    return next(iter(crons + presets), None)
