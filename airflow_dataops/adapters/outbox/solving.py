"""Alerts end: solved one by one, or with their incident; somebody takes an incident on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from airflow_dataops.adapters.ledger.tables import alerts, incidents, outbox
from airflow_dataops.adapters.outbox.queue import Entry, drop, kept_key, put, told_of
from airflow_dataops.core.alerts.alert import Action

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def solve_alert(connection: Connection, key: str, now: datetime) -> bool:
    """Mark an alert as solved, within a transaction; tell whether it was open.

    When the last alert of an incident is solved, whoever was told of it is told so, and
    escalation ends.
    """
    key = kept_key(key)
    found = connection.execute(
        select(incidents.c.id)
        .where(incidents.c.id.in_(select(alerts.c.incident).where(alerts.c.key == key)))
        .order_by(incidents.c.id)
        .with_for_update()
    ).scalars()
    solved = False
    for incident in list(found):
        changed = connection.execute(
            update(alerts)
            .where(alerts.c.key == key, alerts.c.incident == incident, alerts.c.solved_at.is_(None))
            .values(solved_at=now)
        )
        if changed.rowcount:
            solved = True
            _close_if_solved(connection, incident, now)
    return solved


def solve_incident(connection: Connection, incident: str, now: datetime) -> bool:
    """Mark all alerts of an incident as solved; tell whether it was open."""
    query = select(incidents.c.id).where(
        incidents.c.id == incident, incidents.c.solved_at.is_(None)
    )
    if connection.execute(query.with_for_update()).first() is None:
        return False
    connection.execute(
        update(alerts)
        .where(alerts.c.incident == incident, alerts.c.solved_at.is_(None))
        .values(solved_at=now)
    )
    _close_if_solved(connection, incident, now)
    return True


def acknowledge(connection: Connection, incident: str, now: datetime) -> bool:
    """Stop the escalation of an incident, for somebody is at it; tell whether it was open."""
    changed = connection.execute(
        update(incidents)
        .where(
            incidents.c.id == incident,
            incidents.c.solved_at.is_(None),
            incidents.c.acknowledged_at.is_(None),
        )
        .values(acknowledged_at=now)
    )
    drop(connection, incident, now, outbox.c.step > 0)
    return changed.rowcount == 1


def _close_if_solved(connection: Connection, incident: str, now: datetime) -> None:
    mine = alerts.c.incident == incident
    still = select(func.count()).where(mine, alerts.c.solved_at.is_(None))
    if connection.execute(still).scalar():
        return
    connection.execute(
        update(incidents).where(incidents.c.id == incident).values(solved_at=now, open_key=None)
    )
    drop(connection, incident, now, outbox.c.step > 0)
    rank = int(connection.execute(select(func.min(alerts.c.rank)).where(mine)).scalar() or 0)
    for receiver, (last, is_sent) in told_of(connection, incident).items():
        at = max(now, last)
        if is_sent:
            # The resolve names what an update would have told; it need not wait for it.
            mine_too = (outbox.c.receiver == receiver, outbox.c.action == Action.UPDATE)
            drop(connection, incident, now, *mine_too)
            at = now
        action = Action.RESOLVE
        put(connection, Entry(incident, receiver, action=action, at=at, rank=rank), now)
