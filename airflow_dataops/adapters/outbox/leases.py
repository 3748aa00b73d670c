"""Who sends what: a sender leases one message of a receiver at a time, and says how it went.

Each receiver has a queue and a pause of its own, so that none waits for another.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, delete, exists, func, or_, select, text, update

from airflow_dataops.adapters.ledger.rows import upsert
from airflow_dataops.adapters.ledger.tables import incidents, outbox, receivers
from airflow_dataops.adapters.outbox.queue import TELLING, untouched
from airflow_dataops.core.alerts.alert import Action
from airflow_dataops.core.alerts.routing import allowance, limit_of
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.misses import hashed

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from airflow_dataops.core.alerts.config import AlertsConfig, RateLimit

LEASE = timedelta(seconds=60)
"""Longer than a sender waits for a receiver's answer to one message."""


class Leased(Struct, frozen=True):
    """One message that this sender alone may send. `failures` are the receiver's, in a row."""

    key: str
    incident: str
    receiver: str
    action: Action
    step: int
    rank: int
    attempts: int
    created_at: datetime
    failures: int = 0


def due_receivers(connection: Connection, now: datetime) -> list[str]:
    """Return who has messages that are due, the one with the worst first."""
    return list(connection.execute(_receivers_due(), {"now": now}).scalars())


def lease(
    connection: Connection, receiver: str, sender: str, now: datetime, config: AlertsConfig
) -> Leased | None:
    """Take what a receiver is to get next, within a transaction: the worst, then the oldest.

    None where nothing is due, it asked for patience, or its limit is reached. While another
    sender has a message of it in hand, or died with one, only what is critical is taken.
    """
    if connection.dialect.name == "postgresql":
        lock = int(hashed("lane", receiver)[:15], 16)
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
    given = {"receiver": receiver, "now": now}
    state = connection.execute(_state_of_receiver(), given).first()
    if state is not None and state.blocked:
        return None
    limit = limit_of(receiver, config)
    if limit is not None and _left(connection, receiver, limit, now) <= 0:
        return None
    row = connection.execute(_next_of_receiver(), given).first()
    if row is None:
        return None
    taken = connection.execute(
        update(outbox)
        .where(outbox.c.key == row.key, *untouched(now))
        .values(leased_by=sender, leased_until=now + LEASE)
    )
    if not taken.rowcount:
        return None
    failures = 0 if state is None else state.failures
    return Leased(**{**row._mapping, "action": Action(row.action)}, failures=failures)


def sent(
    connection: Connection, sender: str, each: Leased, now: datetime, count: int, seen: int
) -> bool:
    """Note that the receiver has it; tell whether it was this sender's to note.

    Args:
        count: how many alerts the message told of.
        seen: the number of the newest of them.
    """
    if each.failures:
        connection.execute(delete(receivers).where(receivers.c.receiver == each.receiver))
    return _mine(
        connection,
        sender,
        each.key,
        state="sent",
        sent_at=now,
        count=count,
        seen=seen,
        attempts=outbox.c.attempts + 1,
        error=None,
        leased_by=None,
        leased_until=None,
    )


def drop(connection: Connection, sender: str, key: str) -> None:
    """Give up a message that has nothing to tell any more."""
    _mine(connection, sender, key, state="cancelled", leased_by=None, leased_until=None)


def postpone(
    connection: Connection, sender: str, key: str, at: datetime, error: str, *, whole: bool
) -> bool:
    """Give a lease back after an attempt; tell whether it was still this sender's.

    Args:
        whole: whether the receiver takes nothing at all. Such attempts are counted of the
            receiver: of the message only that there was one, for it was not refused for itself.
    """
    attempts = case((outbox.c.attempts == 0, 1), else_=outbox.c.attempts + (0 if whole else 1))
    counted = {"error": error, "attempts": attempts}
    return _mine(connection, sender, key, next_at=at, leased_by=None, leased_until=None, **counted)


def block(connection: Connection, each: Leased, error: str) -> None:
    """Leave a receiver alone that takes nothing, until this message is due again."""
    row = {
        "receiver": each.receiver,
        "message": each.key,
        "failures": each.failures + 1,
        "error": error,
    }
    upsert(connection, receivers, [row])


def expire(connection: Connection, before: datetime, now: datetime) -> int:
    """Give up what no receiver took since then; return how many messages."""
    refusing = select(receivers.c.receiver).where(receivers.c.failures > 0)
    changed = connection.execute(
        update(outbox)
        .where(outbox.c.state == "waiting", outbox.c.created_at < before, outbox.c.next_at < now)
        .where(or_(outbox.c.attempts > 0, outbox.c.receiver.in_(refusing)))
        .values(state="expired")
    )
    return changed.rowcount


def is_wanted(connection: Connection, each: Leased) -> bool:
    """Tell whether an escalation is still to be told: nobody solved the incident or took it on."""
    query = select(incidents.c.id).where(
        incidents.c.id == each.incident,
        incidents.c.solved_at.is_(None),
        incidents.c.acknowledged_at.is_(None),
    )
    return connection.execute(query).first() is not None


def _mine(connection: Connection, sender: str, key: str, **values: Any) -> bool:
    statement = (
        update(outbox)
        .where(outbox.c.key == key, outbox.c.leased_by == sender, outbox.c.state == "waiting")
        .values(**values)
    )
    return connection.execute(statement).rowcount == 1


@cache
def _receivers_due() -> Any:
    """Make the query once: a message is leased with each of these, and making them is dear."""
    blocked = select(receivers.c.receiver).where(_is_blocked())
    return (
        select(outbox.c.receiver)
        .where(_due(), outbox.c.receiver.not_in(blocked))
        .group_by(outbox.c.receiver)
        .order_by(func.min(outbox.c.rank), func.min(outbox.c.next_at))
    )


@cache
def _state_of_receiver() -> Any:
    mine = receivers.c.receiver == bindparam("receiver")
    return select(receivers.c.failures, _is_blocked().label("blocked")).where(mine)


@cache
def _next_of_receiver() -> Any:
    held = outbox.alias()
    in_hand = exists().where(
        held.c.receiver == bindparam("receiver"),
        held.c.state == "waiting",
        held.c.leased_until > bindparam("now"),
    )
    names = [name for name in Leased.__struct_fields__ if name != "failures"]
    return (
        select(*(outbox.c[name] for name in names))
        .where(outbox.c.receiver == bindparam("receiver"), _due())
        .where(or_(outbox.c.rank == 0, ~in_hand))
        .order_by(outbox.c.rank, outbox.c.next_at, outbox.c.key)
        .limit(1)
    )


def _due() -> Any:
    """Waiting, nobody's, and not the end of a story that is still to be told."""
    earlier = outbox.alias()
    same = and_(
        earlier.c.incident == outbox.c.incident,
        earlier.c.receiver == outbox.c.receiver,
        earlier.c.state == "waiting",
    )
    untold = exists().where(same, earlier.c.action.in_(TELLING))
    unopened = exists().where(same, earlier.c.action == Action.TRIGGER, earlier.c.step == 0)
    return and_(
        *untouched(bindparam("now")),
        outbox.c.next_at <= bindparam("now"),
        or_(
            outbox.c.action == Action.TRIGGER,
            and_(outbox.c.action == Action.UPDATE, ~unopened),
            and_(outbox.c.action == Action.RESOLVE, ~untold),
        ),
    )


def _is_blocked() -> Any:
    """The message that a receiver did not take is not due again."""
    refused = outbox.alias()
    return exists().where(
        refused.c.key == receivers.c.message,
        refused.c.state == "waiting",
        refused.c.next_at > bindparam("now"),
    )


def _left(connection: Connection, receiver: str, limit: RateLimit, now: datetime) -> int:
    """Count what went out and what is going out just now."""
    since = now - timedelta(minutes=limit.per_minutes)
    mine = outbox.c.receiver == receiver
    times = connection.execute(select(outbox.c.sent_at).where(mine, outbox.c.sent_at > since))
    going = connection.execute(
        select(func.count()).where(mine, outbox.c.state == "waiting", outbox.c.leased_until > now)
    ).scalar_one()
    return allowance(limit, times.scalars(), now) - going
