"""The alerts file: who is told what, when. Read from YAML or built in Python."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from airflow_dataops.core.alerts.checking import Mistakes
from airflow_dataops.core.alerts.times import DAYS, parse_hours, parse_zone
from airflow_dataops.core.ledger.misses import Escalation, Tier
from airflow_dataops.core.model import Struct
from airflow_dataops.errors import ConfigError

RECEIVER = r"^(slack|pagerduty|email|apprise|import):.+$"
"""`slack:conn_id#channel`, `pagerduty:conn_id`, `email:conn_id/to@example.com`, ..."""
_Names = str | tuple[str, ...]


class GroupBy(StrEnum):
    """What alerts must have in common to be told in one message."""

    CAUSE = "cause"
    DAG = "dag"
    OWNER = "owner"
    NONE = "none"


class Match(Struct, frozen=True, forbid_unknown_fields=True):
    """Which alerts a route takes: those for which everything given here is so.

    Names may have `*` and `?`; a list means any of them. `days` are `mon` to `sun`,
    `workdays`, `weekend` and `holidays`; `hours` is `08:00-18:00`, in the file's time zone.
    """

    tier: _Names = ()
    owner: _Names = ()
    tag: _Names = ()
    dag: _Names = ()
    subject: _Names = ()
    kind: _Names = ()
    days: _Names = ()
    hours: str = ""


class QuietHours(Struct, frozen=True, forbid_unknown_fields=True):
    """When messages wait for the morning. Tiers in `except` are told at once."""

    hours: str = ""
    days: _Names = ()
    except_: tuple[Tier, ...] = msgspec.field(name="except", default=(Tier.CRITICAL,))


class Group(Struct, frozen=True, forbid_unknown_fields=True):
    """How alerts are told together.

    Attributes:
        within_minutes: alerts that come later than this after the first are told anew.
        wait_seconds: so long the first message waits for others of its group.
    """

    by: GroupBy = GroupBy.CAUSE
    within_minutes: float = 30
    wait_seconds: float = 5


class Route(Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. The first that matches takes an alert; with `continue`, others may as well."""

    name: str = ""
    match: Match = Match()
    receivers: tuple[str, ...] = ()
    quiet_hours: QuietHours | None = None
    group: Group = Group()
    escalate: tuple[Escalation, ...] = ()
    continue_: bool = msgspec.field(name="continue", default=False)


class RateLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """At most so many messages in so many minutes to each receiver of this name."""

    messages: int
    per_minutes: float = 1
    receiver: str = "*"


class Templates(Struct, frozen=True, forbid_unknown_fields=True):
    """Jinja templates of a message; empty for the package's own."""

    title: str = ""
    text: str = ""


class AlertsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file.

    Attributes:
        time_zone: IANA name; of all hours and days in the file.
        holidays: days that are no workdays.
        expire_days: so long a message is offered to a receiver that does not take it.
    """

    time_zone: str = "UTC"
    holidays: tuple[date, ...] = ()
    routes: tuple[Route, ...] = ()
    rate_limits: tuple[RateLimit, ...] = ()
    messages: Templates = Templates()
    expire_days: float = 7


def parse_config(data: Any, source: str = "alerts_config") -> AlertsConfig:
    """Make a configuration of plain data.

    Raises:
        ConfigError: it is wrong; tells all mistakes at once, each with its path.
    """
    mistakes = Mistakes()
    found = mistakes.read(data, AlertsConfig, "$")
    if isinstance(data, dict):
        _look_closer(data, mistakes)
    if mistakes.found:
        lines = "".join(f"\n  - {line}" for line in mistakes.found)
        raise ConfigError(f"{source}: {len(mistakes.found)} mistakes:{lines}")
    assert isinstance(found, AlertsConfig)  # noqa: S101 - for the reader of types
    return _named(found)


def _named(config: AlertsConfig) -> AlertsConfig:
    routes = tuple(
        msgspec.structs.replace(route, name=route.name or f"route {number}")
        for number, route in enumerate(config.routes, 1)
    )
    return msgspec.structs.replace(config, routes=routes)


def _look_closer(data: dict[str, Any], mistakes: Mistakes) -> None:
    """Check what types do not say: zones, hours, days, receivers, names of routes."""
    mistakes.check("$.time_zone", parse_zone, data.get("time_zone", "UTC"))
    routes = data.get("routes")
    names: set[str] = set()
    for number, route in enumerate(routes if isinstance(routes, list | tuple) else ()):
        if not isinstance(route, dict):
            continue
        at = f"$.routes[{number}]"
        _receivers(route, at, mistakes)
        for place in ("match", "quiet_hours"):
            _times(route.get(place), f"{at}.{place}", mistakes)
        _tiers(route.get("match"), f"{at}.match.tier", mistakes)
        name = route.get("name")
        if isinstance(name, str) and name in names:
            mistakes.add(f"{at}.name", f"another route is called {name!r}")
        names.add(str(name)) if name else None
        for step, each in enumerate(route.get("escalate") or ()):
            if isinstance(each, dict):
                _receivers(each, f"{at}.escalate[{step}]", mistakes)
                _positive(each, "after_minutes", f"{at}.escalate[{step}]", mistakes)
    for number, limit in enumerate(data.get("rate_limits") or ()):
        for key in ("messages", "per_minutes"):
            _positive(limit, key, f"$.rate_limits[{number}]", mistakes)


def _receivers(holder: dict[str, Any], at: str, mistakes: Mistakes) -> None:
    import re

    given = holder.get("receivers")
    if not given:
        mistakes.add(f"{at}.receivers", "missing; name one at least, such as slack:my_conn")
    for number, receiver in enumerate(given if isinstance(given, list | tuple) else ()):
        if isinstance(receiver, str) and not re.match(RECEIVER, receiver):
            mistakes.add(
                f"{at}.receivers[{number}]",
                f"{receiver!r} is no receiver; write slack:, pagerduty:, email:, apprise: or "
                "import: and a connection or name",
            )


def _times(holder: Any, at: str, mistakes: Mistakes) -> None:
    if not isinstance(holder, dict):
        return
    if isinstance(hours := holder.get("hours"), str) and hours:
        mistakes.check(f"{at}.hours", parse_hours, hours)
    days = holder.get("days") or ()
    for day in (days,) if isinstance(days, str) else days:
        if isinstance(day, str) and day.lower() not in DAYS:
            mistakes.add(f"{at}.days", f"{day!r} is no day; write {', '.join(DAYS)}")


def _tiers(match: Any, at: str, mistakes: Mistakes) -> None:
    tiers = match.get("tier") if isinstance(match, dict) else None
    for tier in (tiers,) if isinstance(tiers, str) else tiers or ():
        if isinstance(tier, str) and tier not in list(Tier) and "*" not in tier:
            mistakes.add(at, f"{tier!r} is no tier; write {', '.join(Tier)}")


def _positive(holder: Any, key: str, at: str, mistakes: Mistakes) -> None:
    value = holder.get(key) if isinstance(holder, dict) else None
    if isinstance(value, int | float) and value <= 0:
        mistakes.add(f"{at}.{key}", f"{value} is not above 0")
