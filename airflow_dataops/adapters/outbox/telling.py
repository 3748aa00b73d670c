"""A message of the outbox, written so late that it tells of all who joined meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import case, func, or_, select, true

from airflow_dataops.adapters.ledger.tables import alerts, outbox
from airflow_dataops.adapters.messages import make_message
from airflow_dataops.adapters.outbox.leases import is_wanted
from airflow_dataops.adapters.outbox.queue import TELLING
from airflow_dataops.core.alerts.alert import Action, Alert
from airflow_dataops.core.sla.misses import Tier

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from airflow_dataops.adapters.outbox.leases import Leased
    from airflow_dataops.core.alerts.alert import Message
    from airflow_dataops.core.alerts.config import Templates

_SHOWN = 20
_PLAIN_AFTER = 3
"""So often a message is refused for itself; then its title is sent alone."""


class Written(NamedTuple):
    """A message, and the number of the newest alert that it tells of."""

    message: Message
    seen: int


def write(
    connection: Connection, each: Leased, templates: Templates, now: datetime
) -> Written | None:
    """Write a message; None where it has nothing to tell any more.

    The worst come first. An update names those that its receiver was not told of yet, and so
    does a resolve before the others; a step of escalation names those that are open.
    """
    if each.step and not is_wanted(connection, each):
        return None
    before = _told(connection, each)
    found = _sums(connection, each, before.seen)
    if each.action is Action.UPDATE and not found.fresh:
        return None
    mine = alerts.c.incident == each.incident
    fresh, open_ = alerts.c.number > before.seen, alerts.c.solved_at.is_(None)
    named, among = [mine], found.all
    if each.action is Action.UPDATE:
        named, among = [mine, fresh], found.fresh
    elif each.step:
        named, among = [mine, open_], found.open
    first = fresh if each.action is Action.RESOLVE else open_
    order = (case((first, 0), else_=1), alerts.c.rank, alerts.c.number)
    rows = connection.execute(select(alerts.c.alert).where(*named).order_by(*order).limit(_SHOWN))
    message = make_message(
        each.key,
        each.incident,
        each.action,
        step=each.step,
        alerts=[msgspec.convert(row.alert, Alert) for row in rows],
        count=found.open if each.step else found.all,
        among=among,
        tier=list(Tier)[found.worst],
        at=now,
        templates=templates,
    )
    message = msgspec.structs.replace(message, raised=_raised(each, before))
    if each.attempts >= _PLAIN_AFTER and not each.failures:
        message = msgspec.structs.replace(message, text="", facts={}, links={})
    return Written(message, found.newest)


class _Told(NamedTuple):
    """What a receiver was told of an incident: the newest alert's number; ranks, oldest first."""

    seen: int
    ranks: list[int]


def _told(connection: Connection, each: Leased) -> _Told:
    """Steps of escalation count for the severity alone: they leave out what is solved."""
    rows = connection.execute(
        select(outbox.c.rank, outbox.c.step, outbox.c.seen)
        .where(
            outbox.c.incident == each.incident,
            outbox.c.receiver == each.receiver,
            outbox.c.action.in_(TELLING),
            outbox.c.state == "sent",
        )
        .order_by(outbox.c.sent_at, outbox.c.rank)
    ).all()
    seen = max((row.seen or 0 for row in rows if not row.step), default=0)
    return _Told(seen=seen, ranks=[row.rank for row in rows])


class _Sums(NamedTuple):
    """Counts of an incident's alerts; `worst` is the rank that a message is sent with."""

    all: int
    open: int
    fresh: int
    newest: int
    worst: int


def _sums(connection: Connection, each: Leased, seen: int) -> _Sums:
    fresh, open_ = alerts.c.number > seen, alerts.c.solved_at.is_(None)
    telling = true() if each.action is Action.RESOLVE else or_(fresh, open_)
    if each.step:
        telling = open_
    columns = (
        func.count(),
        func.sum(case((open_, 1), else_=0)),
        func.sum(case((fresh, 1), else_=0)),
        func.max(alerts.c.number),
        func.min(case((telling, alerts.c.rank), else_=len(Tier) - 1)),
    )
    row = connection.execute(select(*columns).where(alerts.c.incident == each.incident)).one()
    return _Sums(*(int(value or 0) for value in row))


def _raised(each: Leased, before: _Told) -> tuple[Tier, ...]:
    """Return the severity that a message raises for its receiver; of a resolve, all of them."""
    if each.step or not before.ranks:
        return ()
    if each.action is Action.UPDATE:
        return (list(Tier)[each.rank],) if each.rank < min(before.ranks) else ()
    if each.action is Action.RESOLVE:
        raised = sorted({rank for rank in before.ranks if rank < before.ranks[0]})
        return tuple(list(Tier)[rank] for rank in raised)
    return ()
