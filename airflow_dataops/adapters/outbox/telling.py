"""A message of the outbox, written so late that it tells of all who joined meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import case, func, or_, select

from airflow_dataops.adapters.ledger.tables import alerts, outbox
from airflow_dataops.adapters.messages import make_message
from airflow_dataops.adapters.outbox.leases import is_wanted
from airflow_dataops.adapters.outbox.queue import TELLING
from airflow_dataops.core.alerts.alert import Action, Alert
from airflow_dataops.core.ledger.misses import Tier

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
    if not is_wanted(connection, each):
        return None
    told, newest = _told(connection, each), _newest(connection, each.incident)
    if each.action is Action.UPDATE and newest <= told:
        return None
    mine = alerts.c.incident == each.incident
    fresh, open_ = alerts.c.number > told, alerts.c.solved_at.is_(None)
    named = [mine]
    if each.action is Action.UPDATE:
        named.append(fresh)
    elif each.step:
        named.append(open_)
    order: list[Any] = [alerts.c.rank, alerts.c.number]
    if each.action is Action.RESOLVE:
        order.insert(0, case((fresh, 0), else_=1))
    else:
        order.insert(0, case((open_, 0), else_=1))
    rows = connection.execute(select(alerts.c.alert).where(*named).order_by(*order).limit(_SHOWN))
    message = make_message(
        each.key,
        each.incident,
        each.action,
        step=each.step,
        alerts=[msgspec.convert(row.alert, Alert) for row in rows],
        count=_count(connection, mine, *([open_] if each.step else [])),
        among=_count(connection, *named),
        tier=_tier(connection, mine, *_telling(each, fresh, open_)),
        at=now,
        templates=templates,
    )
    message = msgspec.structs.replace(message, raised=_raised(connection, each))
    if each.attempts >= _PLAIN_AFTER and not each.failures:
        message = msgspec.structs.replace(message, text="", facts={}, links={})
    return Written(message, newest)


def _told(connection: Connection, each: Leased) -> int:
    """Return the number of the newest alert that a receiver was told of; 0 for none.

    Steps of escalation do not count: they leave out what is solved.
    """
    query = select(func.max(outbox.c.seen)).where(
        outbox.c.incident == each.incident,
        outbox.c.receiver == each.receiver,
        outbox.c.action.in_(TELLING),
        outbox.c.step == 0,
        outbox.c.state == "sent",
    )
    return int(connection.execute(query).scalar() or 0)


def _raised(connection: Connection, each: Leased) -> tuple[Tier, ...]:
    """Return the severity that a message raises for its receiver; of a resolve, all of them."""
    if each.step or each.action is Action.TRIGGER:
        return ()
    query = select(outbox.c.rank).where(
        outbox.c.incident == each.incident,
        outbox.c.receiver == each.receiver,
        outbox.c.action.in_(TELLING),
        outbox.c.state == "sent",
    )
    told = list(connection.execute(query.order_by(outbox.c.sent_at, outbox.c.rank)).scalars())
    if each.action is Action.UPDATE:
        return (list(Tier)[each.rank],) if told and each.rank < min(told) else ()
    return tuple(list(Tier)[rank] for rank in sorted({*told}) if rank < told[0])


def _newest(connection: Connection, incident: str) -> int:
    query = select(func.max(alerts.c.number)).where(alerts.c.incident == incident)
    return int(connection.execute(query).scalar() or 0)


def _telling(each: Leased, fresh: Any, open_: Any) -> list[Any]:
    """Return the condition of the alerts that a message's severity is the worst of."""
    if each.action is Action.RESOLVE:
        return []
    return [open_ if each.step else or_(fresh, open_)]


def _tier(connection: Connection, *which: Any) -> Tier:
    rank: int = connection.execute(select(func.min(alerts.c.rank)).where(*which)).scalar_one()
    return list(Tier)[rank]


def _count(connection: Connection, *which: Any) -> int:
    return connection.execute(select(func.count()).where(*which)).scalar_one()
