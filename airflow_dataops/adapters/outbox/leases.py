"""Who sends what: a sender leases messages for a while, and says how it went."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, or_, select, text, update

from airflow_dataops.adapters.ledger.tables import outbox
from airflow_dataops.core.alerts.alert import Action
from airflow_dataops.core.alerts.routing import allowance, limit_of
from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from airflow_dataops.core.alerts.config import AlertsConfig, RateLimit

LEASE = timedelta(seconds=60)
"""Longer than a receiver may take for one message; it is renewed before each."""
_LOCK = 7_326_517_202


class Leased(Struct, frozen=True):
    """One message that this sender alone may send."""

    key: str
    incident: str
    receiver: str
    action: Action
    step: int
    attempts: int
    created_at: datetime


def lease(
    connection: Connection, sender: str, now: datetime, config: AlertsConfig, most: int
) -> list[Leased]:
    """Take what is due, oldest first, within a transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    query = select(*(outbox.c[name] for name in Leased.__struct_fields__)).where(_due(now))
    rows = connection.execute(query.order_by(outbox.c.next_at, outbox.c.key).limit(most)).all()
    found = [Leased(**{**row._mapping, "action": Action(row.action)}) for row in rows]
    taken = _within_limits(connection, found, config, now)
    if taken:
        connection.execute(
            update(outbox)
            .where(outbox.c.key.in_([each.key for each in taken]))
            .values(leased_by=sender, leased_until=now + LEASE)
        )
    return taken


def renew(connection: Connection, sender: str, key: str, now: datetime) -> bool:
    """Hold a lease longer; tell whether it is still held and the message still wanted."""
    return _mine(connection, sender, key, leased_until=now + LEASE)


def sent(connection: Connection, sender: str, key: str, now: datetime, count: int) -> bool:
    """Note that the receiver has it; tell whether it was this sender's to note."""
    return _mine(
        connection,
        sender,
        key,
        state="sent",
        sent_at=now,
        count=count,
        attempts=outbox.c.attempts + 1,
        error=None,
        leased_by=None,
        leased_until=None,
    )


def postpone(
    connection: Connection, sender: str, key: str, at: datetime, error: str | None = None
) -> None:
    """Give a lease back. With an error the attempt counts."""
    counted = {} if error is None else {"error": error, "attempts": outbox.c.attempts + 1}
    _mine(connection, sender, key, next_at=at, leased_by=None, leased_until=None, **counted)


def expire(connection: Connection, before: datetime, now: datetime) -> int:
    """Give up what no receiver took since then; return how many messages."""
    changed = connection.execute(
        update(outbox)
        .where(outbox.c.state == "waiting", outbox.c.created_at < before, outbox.c.next_at < now)
        .where(outbox.c.attempts > 0)
        .values(state="expired")
    )
    return changed.rowcount


def _mine(connection: Connection, sender: str, key: str, **values: Any) -> bool:
    statement = (
        update(outbox)
        .where(outbox.c.key == key, outbox.c.leased_by == sender, outbox.c.state == "waiting")
        .values(**values)
    )
    return connection.execute(statement).rowcount == 1


def _due(now: datetime) -> Any:
    """Waiting, nobody's, and not the end of a story whose beginning is still to be sent."""
    earlier = outbox.alias()
    untold = exists().where(
        earlier.c.incident == outbox.c.incident,
        earlier.c.receiver == outbox.c.receiver,
        earlier.c.action == Action.TRIGGER,
        earlier.c.state == "waiting",
    )
    return and_(
        outbox.c.state == "waiting",
        outbox.c.next_at <= now,
        or_(outbox.c.leased_until.is_(None), outbox.c.leased_until <= now),
        or_(outbox.c.action == Action.TRIGGER, ~untold),
    )


def _within_limits(
    connection: Connection, found: list[Leased], config: AlertsConfig, now: datetime
) -> list[Leased]:
    left: dict[str, float] = {}
    taken = []
    for each in found:
        if each.receiver not in left:
            limit = limit_of(each.receiver, config)
            left[each.receiver] = (
                float("inf") if limit is None else _left(connection, each.receiver, limit, now)
            )
        if left[each.receiver] > 0:
            left[each.receiver] -= 1
            taken.append(each)
    return taken


def _left(connection: Connection, receiver: str, limit: RateLimit, now: datetime) -> int:
    """Count what went out and what is going out just now."""
    since = now - timedelta(minutes=limit.per_minutes)
    mine = outbox.c.receiver == receiver
    times = connection.execute(select(outbox.c.sent_at).where(mine, outbox.c.sent_at > since))
    going = connection.execute(
        select(func.count()).where(mine, outbox.c.state == "waiting", outbox.c.leased_until > now)
    ).scalar_one()
    return allowance(limit, times.scalars(), now) - going
