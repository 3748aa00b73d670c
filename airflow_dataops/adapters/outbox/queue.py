"""Rows of the outbox: put in, brought forward, dropped. Always within a transaction."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, func, or_, select, update

from airflow_dataops.adapters.ledger.rows import insert_new
from airflow_dataops.adapters.ledger.tables import outbox
from airflow_dataops.core.alerts.alert import Action
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.misses import hashed

if TYPE_CHECKING:
    from sqlalchemy import Connection

TELLING = (Action.TRIGGER, Action.UPDATE)
"""What tells of alerts; a resolve tells of their end."""


_LONGEST = 64


class Entry(Struct, frozen=True):
    """A message to come.

    Attributes:
        at: not before then.
        rank: of the worst alert that it is to tell; those of the lowest go first.
        number: of the alert that it was put in for, which tells two of one step apart.
    """

    incident: str
    receiver: str
    action: Action
    at: datetime
    rank: int
    step: int = 0
    number: int = 1

    @property
    def key(self) -> str:
        """Name the message."""
        parts = (self.incident, self.receiver, self.action, self.step)
        return hashed(*parts, self.number) if self.number > 1 else hashed(*parts)


def kept_key(key: str) -> str:
    """Return an alert's key as it is kept: long ones have a shorter name."""
    return key if len(key) <= _LONGEST else hashed(key)


def put(connection: Connection, entry: Entry, now: datetime) -> None:
    """Put a message in, unless it is there."""
    row: dict[str, Any] = {
        "key": entry.key,
        "incident": entry.incident,
        "receiver": entry.receiver,
        "action": str(entry.action),
        "step": entry.step,
        "state": "waiting",
        "created_at": now,
        "next_at": entry.at,
        "attempts": 0,
        "rank": entry.rank,
    }
    insert_new(connection, outbox, row)


def has_told(connection: Connection, incident: str, receiver: str) -> bool:
    """Tell whether a receiver has a first message of an incident, sent or to be sent."""
    query = select(outbox.c.key).where(
        outbox.c.incident == incident,
        outbox.c.receiver == receiver,
        outbox.c.action.in_(TELLING),
        outbox.c.step == 0,
    )
    return connection.execute(query.limit(1)).first() is not None


def bring_forward(connection: Connection, entry: Entry, now: datetime) -> bool:
    """Let a message that still waits tell of one more alert; tell whether there was one.

    One that is being sent may be written already, so it does not count. One that was refused
    keeps its pause.
    """
    earlier = case(
        (and_(outbox.c.attempts == 0, outbox.c.next_at > entry.at), entry.at),
        else_=outbox.c.next_at,
    )
    changed = connection.execute(
        update(outbox)
        .where(
            outbox.c.incident == entry.incident,
            outbox.c.receiver == entry.receiver,
            outbox.c.action.in_(TELLING),
            outbox.c.step == entry.step,
            *untouched(now),
        )
        .values(
            next_at=earlier,
            rank=case((outbox.c.rank > entry.rank, entry.rank), else_=outbox.c.rank),
        )
    )
    return bool(changed.rowcount)


def drop(connection: Connection, incident: str, now: datetime, *conditions: Any) -> None:
    """Drop messages of an incident that wait, but for those that are being sent."""
    connection.execute(
        update(outbox)
        .where(outbox.c.incident == incident, *untouched(now), *conditions)
        .values(state="cancelled")
    )


def told_of(connection: Connection, incident: str) -> dict[str, tuple[datetime, bool]]:
    """Return who knows or will know of an incident.

    By receiver: when its last message is due, and whether one is sent or being sent.
    """
    going = outbox.c.leased_until.is_not(None)
    rows = connection.execute(
        select(
            outbox.c.receiver,
            func.max(outbox.c.next_at).label("at"),
            func.max(case((or_(outbox.c.state == "sent", going), 1), else_=0)).label("sent"),
        )
        .where(
            outbox.c.incident == incident,
            outbox.c.action.in_(TELLING),
            outbox.c.state.in_(("waiting", "sent")),
        )
        .group_by(outbox.c.receiver)
    )
    return {row.receiver: (row.at, bool(row.sent)) for row in rows.all()}


def untouched(now: Any) -> tuple[Any, ...]:
    """Return the conditions for messages that wait and that nobody is sending.

    Args:
        now: a time, or a parameter for one.
    """
    return (
        outbox.c.state == "waiting",
        or_(outbox.c.leased_until.is_(None), outbox.c.leased_until <= now),
    )
