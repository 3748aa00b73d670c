"""The alerts file: who is told what, when. Read from YAML or built in Python."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from airflow_dataops.core.alerts.times import DAYS, parse_hours, parse_zone
from airflow_dataops.core.decoding import Mistake, MistakesError, find_mistakes
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.misses import Escalation, Receiver, Tier
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _check_zone(name: str) -> None:
    _as_value_error(parse_zone, name)


def _check_hours(text: str) -> None:
    if text:
        _as_value_error(parse_hours, text)


def _as_value_error(parse: Callable[[str], object], text: str) -> None:
    try:
        parse(text)
    except ConfigError as error:
        raise ValueError(f"{error}.") from None


def _check_days(names: str | tuple[str, ...]) -> None:
    for name in (names,) if isinstance(names, str) else names:
        if name and name.lower() not in DAYS:
            raise ValueError(f"{name!r} is no day; write {', '.join(DAYS)}.")


def _check_tiers(names: str | tuple[str, ...]) -> None:
    for name in (names,) if isinstance(names, str) else names:
        if name and name not in list(Tier) and "*" not in name:
            raise ValueError(f"{name!r} is no tier; write {', '.join(Tier)}.")


_Names = str | tuple[str, ...]
_Days = Annotated[_Names, msgspec.Meta(extra={"check": _check_days})]
_Tiers = Annotated[_Names, msgspec.Meta(extra={"check": _check_tiers})]
_Hours = Annotated[str, msgspec.Meta(extra={"check": _check_hours})]
_Zone = Annotated[str, msgspec.Meta(extra={"check": _check_zone})]
_Positive = Annotated[float, msgspec.Meta(gt=0)]


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

    tier: _Tiers = ()
    owner: _Names = ()
    tag: _Names = ()
    dag: _Names = ()
    subject: _Names = ()
    kind: _Names = ()
    days: _Days = ()
    hours: _Hours = ""


class QuietHours(Struct, frozen=True, forbid_unknown_fields=True):
    """When messages wait for the morning. Tiers in `except` are told at once."""

    hours: _Hours = ""
    days: _Days = ()
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
    receivers: tuple[Receiver, ...] = ()
    quiet_hours: QuietHours | None = None
    group: Group = Group()
    escalate: tuple[Escalation, ...] = ()
    continue_: bool = msgspec.field(name="continue", default=False)


class RateLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """At most so many messages in so many minutes to each receiver of this name."""

    messages: Annotated[int, msgspec.Meta(gt=0)]
    per_minutes: _Positive = 1
    receiver: str = "*"


class ResolveFailures(StrEnum):
    """What resolves the alert of a failed task or run by itself."""

    RUN = "run"
    """Its success in the same run: by a retry, after clearing it, or set by hand."""
    NEXT_RUN = "next_run"
    """Also its success in a run that began later."""
    NEVER = "never"


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
        resolve_failures: when the alert of a failed task or run is solved.
    """

    time_zone: _Zone = "UTC"
    holidays: tuple[date, ...] = ()
    routes: tuple[Route, ...] = ()
    rate_limits: tuple[RateLimit, ...] = ()
    messages: Templates = Templates()
    expire_days: float = 7
    resolve_failures: ResolveFailures = ResolveFailures.RUN


def parse_config(data: Any, source: str = "alerts_config") -> AlertsConfig:
    """Make a configuration of plain data.

    Raises:
        ConfigError: it is wrong; tells all mistakes at once, each with its path.
    """
    mistakes = (*find_mistakes(data, AlertsConfig), *_across(data))
    if mistakes:
        raise MistakesError(source, mistakes)
    return _named(msgspec.convert(data, AlertsConfig))


def _named(config: AlertsConfig) -> AlertsConfig:
    routes = tuple(
        msgspec.structs.replace(route, name=route.name or f"route {number}")
        for number, route in enumerate(config.routes, 1)
    )
    return msgspec.structs.replace(config, routes=routes)


def _across(data: Any) -> Iterator[Mistake]:
    """Yield routes that tell nobody, and those that are called alike."""
    routes = data.get("routes") if isinstance(data, dict) else None
    names: set[str] = set()
    for number, route in enumerate(routes if isinstance(routes, list | tuple) else ()):
        if not isinstance(route, dict):
            continue
        at = f"$.routes[{number}]"
        if not route.get("receivers"):
            told = "It is missing; name one at least, such as slack:my_conn."
            yield Mistake(f"{at}.receivers", told)
        name = route.get("name")
        if isinstance(name, str) and name:
            if name in names:
                yield Mistake(f"{at}.name", f"Another route is called {name!r}.")
            names.add(name)
