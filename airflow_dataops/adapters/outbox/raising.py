"""Alerts come in: they open incidents or join them, and put messages into the outbox."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, insert, select, text, update

from airflow_dataops.adapters.ledger.rows import insert_new
from airflow_dataops.adapters.ledger.tables import alerts, incidents
from airflow_dataops.adapters.outbox.queue import Entry, bring_forward, has_told, kept_key, put
from airflow_dataops.core.alerts.alert import Action
from airflow_dataops.core.masking import mask_all
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.misses import hashed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from airflow_dataops.core.alerts.alert import Alert
    from airflow_dataops.core.alerts.routing import Delivery, Ticket

_REPEATS = timedelta(minutes=5)
"""So long after a group's time is over it is told what only repeated what was known."""


class _Incident(Struct, frozen=True):
    id: str
    closes_at: datetime
    acknowledged_at: datetime | None = None


class _Coming(Struct, frozen=True):
    """An alert as it is kept, for one route."""

    key: str
    rank: int
    row: dict[str, Any]
    now: datetime


def raise_alert(
    connection: Connection, alert: Alert, tickets: Iterable[Ticket], now: datetime
) -> bool:
    """Keep an alert and put its messages into the outbox, within a transaction.

    Return False where one with its key is open that is as bad. Secrets are masked here, so that
    none is kept either.
    """
    plain = mask_all(msgspec.to_builtins(alert))
    row = {
        "at": now,
        "alert": plain,
        "rank": alert.tier.rank,
        "kind": alert.kind[:50],
        "subject": _cut(plain.get("subject"), 500),
        "dag_id": _cut(alert.dag_id, 250),
        "run_id": _cut(alert.run_id, 250),
    }
    coming = _Coming(key=kept_key(alert.key), rank=alert.tier.rank, row=row, now=now)
    taken = [_take(connection, coming, ticket) for ticket in tickets]
    return any(taken)


def _take(connection: Connection, coming: _Coming, ticket: Ticket) -> bool:
    if connection.dialect.name == "postgresql":
        # SQLite has one writer; here those who might open the same incident take turns.
        lock = int(ticket.open_key[:15], 16)
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
    mine = (alerts.c.key == coming.key, alerts.c.route == ticket.route)
    query = select(alerts.c.incident, alerts.c.rank, alerts.c.solved_at)
    known = connection.execute(query.where(*mine)).first()
    if known is not None and known.solved_at is None:
        return known.rank > coming.rank and _worsen(connection, known.incident, coming, ticket)
    if known is not None:
        # It was solved and is raised again: the old one makes room.
        gone = hashed(coming.key, known.incident)
        connection.execute(update(alerts).where(*mine).values(key=gone))
    incident = _joined(connection, incidents.c.open_key == ticket.open_key, coming.now)
    if incident is None:
        return _open(connection, coming, ticket)
    return _join(connection, incident, coming, ticket)


def _joined(connection: Connection, which: Any, now: datetime | None = None) -> _Incident | None:
    """Return an incident, held until the transaction ends, so that nobody closes it."""
    columns = (incidents.c[name] for name in _Incident.__struct_fields__)
    query = select(*columns).where(which, incidents.c.solved_at.is_(None))
    if now is not None:
        query = query.where(incidents.c.closes_at > now)
    found = connection.execute(query.with_for_update()).first()
    return None if found is None else _Incident(**found._mapping)


def _worsen(connection: Connection, incident: str, coming: _Coming, ticket: Ticket) -> bool:
    """Raise the severity of an alert that is open, and tell so."""
    found = _joined(connection, incidents.c.id == incident)
    if found is None:
        return False
    worse = _is_worse(connection, incident, coming.rank)
    number = _next_number(connection, incident)
    connection.execute(
        update(alerts)
        .where(alerts.c.key == coming.key, alerts.c.route == ticket.route)
        .values(**coming.row, number=number)
    )
    _tell(connection, found, ticket, coming, number, is_news=True, worse=worse)
    return True


def _join(connection: Connection, incident: _Incident, coming: _Coming, ticket: Ticket) -> bool:
    worse = _is_worse(connection, incident.id, coming.rank)
    is_news = not _is_known(connection, incident.id, coming)
    number = _next_number(connection, incident.id)
    kept = {"key": coming.key, "route": ticket.route, "incident": incident.id, "number": number}
    if not insert_new(connection, alerts, coming.row | kept):
        return False
    _tell(connection, incident, ticket, coming, number, is_news=is_news, worse=worse)
    return True


def _tell(
    connection: Connection,
    incident: _Incident,
    ticket: Ticket,
    coming: _Coming,
    number: int,
    *,
    is_news: bool,
    worse: bool,
) -> None:
    """See to it that each receiver is told of an alert that joined.

    Args:
        is_news: whether no alert about its subject is open that is as bad; what is none waits
            for the next message, or for the end of the group's time.
        worse: whether it is worse than all others: then the incident is nobody's any more.
    """
    if worse and incident.acknowledged_at is not None:
        connection.execute(
            update(incidents).where(incidents.c.id == incident.id).values(acknowledged_at=None)
        )
    escalates = is_news and (worse or incident.acknowledged_at is None)
    for delivery in ticket.deliveries:
        entry = _entry(incident.id, delivery, Action.TRIGGER, coming.rank, number)
        if delivery.step:
            if escalates and not bring_forward(connection, entry, coming.now):
                put(connection, entry, coming.now)
            continue
        told = has_told(connection, incident.id, delivery.receiver)
        if told:
            at = delivery.at if is_news else max(delivery.at, incident.closes_at + _REPEATS)
            entry = msgspec.structs.replace(entry, action=Action.UPDATE, at=at)
        if not bring_forward(connection, entry, coming.now):
            put(connection, entry, coming.now)


def _open(connection: Connection, coming: _Coming, ticket: Ticket) -> bool:
    connection.execute(
        update(incidents).where(incidents.c.open_key == ticket.open_key).values(open_key=None)
    )
    incident = uuid.uuid4().hex
    connection.execute(
        insert(incidents).values(
            id=incident,
            open_key=ticket.open_key,
            cause=coming.row["alert"].get("cause") or coming.key,
            opened_at=coming.now,
            closes_at=ticket.closes_at,
        )
    )
    for delivery in ticket.deliveries:
        put(connection, _entry(incident, delivery, Action.TRIGGER, coming.rank), coming.now)
    kept = {"key": coming.key, "route": ticket.route, "incident": incident, "number": 1}
    return insert_new(connection, alerts, coming.row | kept)


def _entry(incident: str, delivery: Delivery, action: Action, rank: int, number: int = 1) -> Entry:
    return Entry(
        incident=incident,
        receiver=delivery.receiver,
        action=action,
        at=delivery.at,
        rank=rank,
        step=delivery.step,
        number=number,
    )


def _is_worse(connection: Connection, incident: str, rank: int) -> bool:
    query = select(func.min(alerts.c.rank)).where(*_open_ones(incident))
    worst = connection.execute(query).scalar()
    return worst is None or rank < worst


def _is_known(connection: Connection, incident: str, coming: _Coming) -> bool:
    """Tell whether an alert as bad is open about the same subject."""
    subject = func.coalesce(alerts.c.subject, "") == (coming.row["subject"] or "")
    query = select(alerts.c.key).where(*_open_ones(incident), subject, alerts.c.rank <= coming.rank)
    return connection.execute(query.limit(1)).first() is not None


def _open_ones(incident: str) -> tuple[Any, ...]:
    return alerts.c.incident == incident, alerts.c.solved_at.is_(None)


def _next_number(connection: Connection, incident: str) -> int:
    query = select(func.max(alerts.c.number)).where(alerts.c.incident == incident)
    return int(connection.execute(query).scalar() or 0) + 1


def _cut(text: str | None, most: int) -> str | None:
    return text[:most] if text else None
