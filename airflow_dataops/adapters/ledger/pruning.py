"""Retention: what is old and over goes, some thousand rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, or_, select, tuple_

from airflow_dataops.adapters.ledger.tables import (
    TABLE_OF,
    alerts,
    incidents,
    misses,
    outbox,
    watched,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Table

    from airflow_dataops.adapters.ledger.database import Database

AT_ONCE = 5_000
"""Rows in one transaction, so that whoever writes meanwhile does not wait long."""


def prune(database: Database, before: datetime) -> int:
    """Delete events observed before, and misses and alerts of then that are over.

    Return how many rows went.
    """
    return sum(_delete(database, table, condition) for table, condition in _old(before))


def _delete(database: Database, table: Table, condition: Any) -> int:
    keys = list(table.primary_key.columns)
    some = select(*keys).where(condition).limit(AT_ONCE)
    statement = delete(table).where(tuple_(*keys).in_(some))
    total = 0
    while True:
        with database.write() as connection:
            gone = connection.execute(statement).rowcount
        total += gone
        if gone < AT_ONCE:
            return total


def _old(before: datetime) -> list[tuple[Table, Any]]:
    """Return what may go: events by age, and what is over of misses and alerts."""
    waiting = select(outbox.c.incident).where(outbox.c.state == "waiting")
    over = select(incidents.c.id).where(
        incidents.c.opened_at < before,
        or_(incidents.c.solved_at.is_not(None), incidents.c.closes_at < before),
        incidents.c.id.not_in(waiting),
    )
    events = [(table, table.c.observed_at < before) for table in TABLE_OF.values()]
    return [
        *events,
        (misses, and_(misses.c.detected_at < before, misses.c.solved_at.is_not(None))),
        (watched, and_(watched.c.observed_at < before, watched.c.open.is_(False))),
        (outbox, outbox.c.incident.in_(over)),
        (alerts, alerts.c.incident.in_(over)),
        (incidents, incidents.c.id.in_(over)),
    ]
