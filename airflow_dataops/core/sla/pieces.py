"""What has to run so that SLAs are watched and misses are told."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow_dataops.core.model import Struct

LATELY = timedelta(minutes=10)
"""What was seen so short a time ago runs still."""


class Piece(Struct, frozen=True):
    """One thing that is needed.

    Attributes:
        found: what is known of it.
        missing: what to do; empty where it is there.
    """

    name: str
    found: str
    missing: str = ""


def pieces(
    *, watched: datetime | None, routes: int | None, sent: datetime | None, now: datetime
) -> tuple[Piece, Piece, Piece]:
    """Return the three things that SLAs need, and what is missing of them.

    Args:
        watched: when the monitor looked last; None for never.
        routes: how many routes the alerts file has; None without a file.
        sent: when a sender looked last; None for never.
    """
    monitor = Piece("monitor", _seen("It looked", watched))
    if not _is_there(watched, now):
        how = "add a DAG with sla_monitor_dag() and unpause it, or run `sla-tracker --monitor`"
        monitor = Piece(monitor.name, monitor.found, how)
    known = "There is no file" if routes is None else f"It has {routes} routes"
    file = Piece("alerts file", known)
    if not routes:
        how = "name one in [dataops] alerts_config, with a route that says who is told"
        file = Piece(file.name, file.found, how)
    sender = Piece("sender", _seen("It looked", sent))
    if not _is_there(sent, now):
        how = "run `airflow-dataops alerts send --watch`; the monitor sends as well"
        sender = Piece(sender.name, sender.found, how)
    return monitor, file, sender


def _is_there(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at < LATELY


def _seen(what: str, at: datetime | None) -> str:
    return f"{what} {'never' if at is None else f'at {at:%Y-%m-%d %H:%M:%S} UTC'}"
