"""Alerts come in: they open incidents or join them, and put messages into the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, insert, or_, select, text, update

from airflow_dataops.adapters.ledger.rows import insert_new
from airflow_dataops.adapters.ledger.tables import alerts, incidents, outbox
from airflow_dataops.core.alerts.alert import Action
from airflow_dataops.core.alerts.masking import mask_all
from airflow_dataops.core.ledger.misses import hashed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from airflow_dataops.core.alerts.alert import Alert
    from airflow_dataops.core.alerts.routing import Ticket


def raise_alert(
    connection: Connection, alert: Alert, tickets: Iterable[Ticket], now: datetime
) -> bool:
    """Keep an alert and put its messages into the outbox, within a transaction.

    Return False where an alert with its key was raised before. Secrets are masked here, so
    that none is kept either.
    """
    plain = mask_all(msgspec.to_builtins(alert))
    taken = [_take(connection, alert.key, plain, ticket, now) for ticket in tickets]
    return any(taken)


def solve_alert(connection: Connection, key: str, now: datetime) -> bool:
    """Mark an alert as solved, within a transaction; tell whether it was open.

    When the last alert of an incident is solved, whoever was told of it is told so, and
    escalation ends.
    """
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
    _cancel_escalation(connection, incident, now)
    return changed.rowcount == 1


def _take(connection: Connection, key: str, plain: Any, ticket: Ticket, now: datetime) -> bool:
    if connection.dialect.name == "postgresql":
        # SQLite has one writer; here those who might open the same incident take turns.
        lock = int(ticket.open_key[:15], 16)
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
    known = select(alerts.c.key).where(alerts.c.key == key, alerts.c.route == ticket.route)
    if connection.execute(known).first():
        return False
    incident = _join(connection, ticket, now) or _open(connection, key, plain, ticket, now)
    row = {"key": key, "route": ticket.route, "incident": incident, "at": now, "alert": plain}
    return insert_new(connection, alerts, row)


def _join(connection: Connection, ticket: Ticket, now: datetime) -> str | None:
    """Return the open incident, held until the transaction ends, so that nobody closes it."""
    return connection.execute(
        select(incidents.c.id)
        .where(incidents.c.open_key == ticket.open_key, incidents.c.closes_at > now)
        .with_for_update()
    ).scalar()


def _open(connection: Connection, key: str, plain: Any, ticket: Ticket, now: datetime) -> str:
    connection.execute(
        update(incidents).where(incidents.c.open_key == ticket.open_key).values(open_key=None)
    )
    incident = hashed(ticket.open_key, key, now.timestamp())
    connection.execute(
        insert(incidents).values(
            id=incident,
            open_key=ticket.open_key,
            cause=plain.get("cause") or key,
            opened_at=now,
            closes_at=ticket.closes_at,
        )
    )
    for delivery in ticket.deliveries:
        row = _row(incident, delivery.receiver, Action.TRIGGER, delivery.step, delivery.at, now)
        insert_new(connection, outbox, row)
    return incident


def _close_if_solved(connection: Connection, incident: str, now: datetime) -> None:
    still = select(func.count()).where(alerts.c.incident == incident, alerts.c.solved_at.is_(None))
    if connection.execute(still).scalar():
        return
    connection.execute(
        update(incidents).where(incidents.c.id == incident).values(solved_at=now, open_key=None)
    )
    _cancel_escalation(connection, incident, now)
    told = connection.execute(
        select(outbox.c.receiver, func.max(outbox.c.next_at).label("at"))
        .where(
            outbox.c.incident == incident,
            outbox.c.action == Action.TRIGGER,
            outbox.c.state.in_(("waiting", "sent")),
        )
        .group_by(outbox.c.receiver)
    )
    for row in told.all():
        # Not before the message that it follows.
        at = max(now, row.at)
        insert_new(connection, outbox, _row(incident, row.receiver, Action.RESOLVE, 0, at, now))


def _cancel_escalation(connection: Connection, incident: str, now: datetime) -> None:
    """Drop later steps, but for one that is being sent at this moment."""
    connection.execute(
        update(outbox)
        .where(
            outbox.c.incident == incident,
            outbox.c.step > 0,
            outbox.c.state == "waiting",
            or_(outbox.c.leased_until.is_(None), outbox.c.leased_until <= now),
        )
        .values(state="cancelled")
    )


def _row(
    incident: str, receiver: str, action: Action, step: int, at: datetime, now: datetime
) -> dict[str, Any]:
    return {
        "key": hashed(incident, receiver, action, step),
        "incident": incident,
        "receiver": receiver,
        "action": str(action),
        "step": step,
        "state": "waiting",
        "created_at": now,
        "next_at": at,
        "attempts": 0,
    }
