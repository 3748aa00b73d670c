"""Alert + configuration + time -> who is told when. Pure: nothing is sent or kept here."""

from __future__ import annotations

from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from airflow_dataops.core.alerts.config import Group, GroupBy, Route
from airflow_dataops.core.alerts.times import first_outside, parse_zone, within
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.misses import hashed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.alerts.alert import Alert
    from airflow_dataops.core.alerts.config import AlertsConfig, Match, RateLimit


class Delivery(Struct, frozen=True):
    """One message to come: to whom, not before when. Steps above 0 fall away when solved."""

    receiver: str
    at: datetime
    step: int = 0


class Ticket(Struct, frozen=True):
    """What one route makes of an alert.

    Attributes:
        open_key: alerts with the same are one incident, until `closes_at` of the first.
    """

    route: str
    open_key: str
    closes_at: datetime
    deliveries: tuple[Delivery, ...]


def route_alert(alert: Alert, config: AlertsConfig, now: datetime) -> tuple[Ticket, ...]:
    """Return the tickets of an alert; none where no route takes it.

    One of them is for its own escalation, where it has one.
    """
    tickets = []
    for route in config.routes:
        if matches(alert, route.match, config, now):
            tickets.append(make_ticket(alert, route, config, now))
            if not route.continue_:
                break
    if alert.escalate:
        steps = "; ".join(map(str, alert.escalate))
        own = Route(name=f"escalation {hashed(steps)}", group=Group(), escalate=alert.escalate)
        tickets.append(make_ticket(alert, own, config, now))
    return tuple(tickets)


def matches(alert: Alert, match: Match, config: AlertsConfig, now: datetime) -> bool:
    """Tell whether an alert is one that a route asks for."""
    asked = (
        (match.tier, (alert.tier,)),
        (match.owner, (alert.owner or "",)),
        (match.tag, alert.tags),
        (match.dag, (alert.dag_id or "",)),
        (match.subject, (alert.subject,)),
        (match.kind, (alert.kind,)),
    )
    if not all(_any_of(patterns, values) for patterns, values in asked):
        return False
    zone = parse_zone(config.time_zone)
    return within(now, match.hours, _tuple(match.days), zone, config.holidays)


def make_ticket(alert: Alert, route: Route, config: AlertsConfig, now: datetime) -> Ticket:
    """Say whom a route tells of an alert, and when."""
    first = _release(alert, route, config, now + timedelta(seconds=route.group.wait_seconds))
    found = [Delivery(receiver=receiver, at=first) for receiver in dict.fromkeys(route.receivers)]
    for number, step in enumerate(route.escalate, 1):
        at = _release(alert, route, config, first + timedelta(minutes=step.after_minutes))
        found += [Delivery(receiver=each, at=at, step=number) for each in step.receivers]
    by = route.group.by
    common = {
        GroupBy.CAUSE: alert.cause or alert.key,
        GroupBy.DAG: alert.dag_id or alert.key,
        GroupBy.OWNER: alert.owner or alert.key,
        GroupBy.NONE: alert.key,
    }[by]
    return Ticket(
        route=hashed(route.name),
        open_key=hashed(route.name, by, common),
        closes_at=now + timedelta(minutes=route.group.within_minutes),
        deliveries=tuple(found),
    )


def allowance(limit: RateLimit, sent: Iterable[datetime], now: datetime) -> int:
    """Return how many messages a receiver may get now, after those sent at these times."""
    since = now - timedelta(minutes=limit.per_minutes)
    return max(0, limit.messages - sum(1 for at in sent if at > since))


def limit_of(receiver: str, config: AlertsConfig) -> RateLimit | None:
    """Return the first limit that names a receiver."""
    return next((limit for limit in config.rate_limits if _like(receiver, limit.receiver)), None)


def _release(alert: Alert, route: Route, config: AlertsConfig, at: datetime) -> datetime:
    quiet = route.quiet_hours
    if quiet is None or alert.tier in quiet.except_:
        return at
    if not quiet.hours and not quiet.days:
        return at
    zone = parse_zone(config.time_zone)
    return first_outside(at, quiet.hours, _tuple(quiet.days), zone, config.holidays)


def _any_of(patterns: str | tuple[str, ...], values: Iterable[str]) -> bool:
    wanted = _tuple(patterns)
    return not wanted or any(_like(value, pattern) for value in values for pattern in wanted)


def _like(value: str, pattern: str) -> bool:
    return fnmatchcase(value.lower(), pattern.lower())


def _tuple(given: str | tuple[str, ...]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) and given else tuple(given)
