"""What authors write of an SLA, in Python, in metadata or in a file: checked in one place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.due import zone_of
from airflow_dataops.core.sla.misses import Escalation, SubjectKind, Tier
from airflow_dataops.core.sla.names import default_name
from airflow_dataops.core.sla.policies import (
    BUSINESS_DAYS,
    SCHEDULED_RUNS,
    AfterInterval,
    AfterRunStart,
    AfterTaskStart,
    ByTime,
    Calendar,
    CallbackRef,
    MaxAge,
    Percent,
    RunType,
    Sla,
    TierDefaults,
    Weekday,
)
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.sla.policies import Due

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_MINUTES = {"s": 1 / 60, "m": 1.0, "h": 60.0, "d": 1440.0}
_SETS = {
    "workdays": BUSINESS_DAYS,
    "weekend": tuple(Weekday)[5:],
    "all": tuple(Weekday),
}
_DUES = ("by", "within", "after_interval", "after_run_start", "max_age")
_OF_CLOCK = ("timezone", "days", "holidays", "calendar")


def minutes_of(text: str) -> float:
    """Return a duration such as `30m`, `1.5h`, `45s` or `1d` in minutes.

    Raises:
        ValueError: it is not written so, or nothing long.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or float(match[1]) == 0:
        raise ValueError(f"{text!r} is no duration; write 45s, 30m, 1.5h or 1d.")
    return float(match[1]) * _MINUTES[match[2]]


def clock_of(text: str) -> time:
    """Return a time such as `07:00`.

    Raises:
        ValueError: it is none.
    """
    try:
        found = time.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None or ":" not in text:
        raise ValueError(f"{text!r} is no time of a day; write 07:00, and the time zone apart.")
    return found


def days_of(names: str | Iterable[str]) -> tuple[Weekday, ...]:
    """Return weekdays by name: `mon` to `sun`, `workdays` (Monday to Friday), `weekend`, `all`.

    Raises:
        ValueError: one is none, or there are none.
    """
    found: set[Weekday] = set()
    for name in [names] if isinstance(names, str) else names:
        plain = name.lower()
        if plain not in _SETS and plain not in set(Weekday):
            known = ", ".join([*Weekday, *_SETS])
            raise ValueError(f"{name!r} is no day; write {known}.")
        found.update(_SETS.get(plain) or (Weekday(plain),))
    if not found:
        raise ValueError("There are no days on which it is due; leave it out for all of them.")
    return tuple(day for day in Weekday if day in found)


def _check_zone(name: str) -> None:
    try:
        zone_of(name)
    except ConfigError as error:
        raise ValueError(str(error)) from None


def _check_path(path: str) -> None:
    parts = path.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise ValueError(f"{path!r} is no dotted path of a function; write package.module.name.")


Clock = Annotated[str, Meta(extra={"check": clock_of})]
Duration = Annotated[str, Meta(extra={"check": minutes_of})]
Zone = Annotated[str, Meta(extra={"check": _check_zone})]
Days = Annotated[str | tuple[str, ...], Meta(extra={"check": days_of})]
Path = Annotated[str, Meta(extra={"check": _check_path})]
Text = Annotated[str, Meta(min_length=1)]


class Callback(Struct, frozen=True, forbid_unknown_fields=True):
    """A callback with keyword arguments; see `CallbackRef`."""

    path: Path
    kwargs: dict[str, Any] = {}


class SlaSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """One SLA as it is written; exactly one of the first five says when it is due.

    Attributes:
        by: a time of the day, such as `07:00`: the first one after the run's data is complete.
        within: so long after the task itself began, or the DAG's run.
        after_interval: so long after the end of the run's data interval.
        after_run_start: so long after the run began.
        max_age: of a table or an asset: it is never older.
        timezone, days, holidays, calendar: of `by`; a calendar by its name in the file.
        name: unique for its subject; made of the due time by default.
        on_sla_miss: dotted paths of functions and notifiers, or paths with `kwargs`.
    """

    by: Clock | None = None
    within: Duration | None = None
    after_interval: Duration | None = None
    after_run_start: Duration | None = None
    max_age: Duration | None = None
    timezone: Zone | None = None
    days: Days | None = None
    holidays: tuple[date, ...] | None = None
    calendar: str | None = None
    name: Text | None = None
    tier: Tier = Tier.IMPORTANT
    owner: Text | None = None
    tags: tuple[Text, ...] = ()
    warn_at: Percent | None = None
    run_types: tuple[RunType, ...] | None = None
    escalate: tuple[Escalation, ...] | None = None
    on_sla_miss: tuple[Path | Callback, ...] | None = None

    def __post_init__(self) -> None:
        given = [name for name in _DUES if getattr(self, name) is not None]
        if len(given) != 1:
            told = f"it has {' and '.join(given)}" if given else "it has none"
            raise ValueError(f"Say once when it is due, by one of {', '.join(_DUES)}; {told}.")
        of_clock = [name for name in _OF_CLOCK if getattr(self, name) is not None]
        if of_clock and self.by is None:
            raise ValueError(f"{of_clock[0]} goes with by alone; there is no time of the day.")
        if self.calendar is not None and (self.days or self.holidays):
            raise ValueError("calendar says which days; leave out days and holidays.")


class Defaults(Struct, frozen=True):
    """What holds where a spec says nothing.

    Attributes:
        timezone: of times of the day.
        calendars: by name.
        tiers: what the SLAs of a tier have in common.
    """

    timezone: str = "UTC"
    calendars: Mapping[str, Calendar] = {}
    tiers: Mapping[Tier, TierDefaults] = {}


class About(Struct, frozen=True):
    """What an SLA is about; see `Sla`."""

    kind: SubjectKind
    dag_id: str | None = None
    task_id: str | None = None
    subject: str = ""
    members: tuple[str, ...] = ()


def sla_of(spec: SlaSpec, about: About, defaults: Defaults) -> Sla:
    """Return the SLA that a spec asks for.

    Raises:
        ValueError: it does not fit what it is about, or there is no such calendar.
    """
    due = _due(spec, about.kind, defaults)
    tier = defaults.tiers.get(spec.tier)
    given = None if spec.on_sla_miss is None else refs_of(spec.on_sla_miss)
    return Sla(
        name=spec.name or default_name(due),
        kind=about.kind,
        dag_id=about.dag_id,
        task_id=about.task_id,
        subject=about.subject,
        members=about.members,
        due=due,
        tier=spec.tier,
        owner=spec.owner,
        tags=spec.tags,
        warn_at=spec.warn_at if spec.warn_at is not None or tier is None else tier.warn_at or 0,
        run_types=SCHEDULED_RUNS if spec.run_types is None else spec.run_types,
        escalate=_or(spec.escalate, tier.escalate if tier else ()),
        on_miss=_or(given, tier.on_miss if tier else ()),
    )


def _due(spec: SlaSpec, kind: SubjectKind, defaults: Defaults) -> Due:
    ages = kind in (SubjectKind.ASSET, SubjectKind.TABLE)
    if ages != (spec.max_age is not None):
        takes = "max_age" if ages else ", ".join(_DUES[:-1])
        raise ValueError(f"The SLA of {_called(kind)} takes {takes}.")
    if spec.by is not None:
        zone = spec.timezone or defaults.timezone
        return ByTime(at=clock_of(spec.by), timezone=zone, calendar=_calendar(spec, defaults))
    if spec.within is not None:
        # A DAG has no other start than its run's.
        after = AfterRunStart if kind is SubjectKind.DAG else AfterTaskStart
        return after(minutes=minutes_of(spec.within))
    if spec.after_interval is not None:
        return AfterInterval(minutes=minutes_of(spec.after_interval))
    if spec.after_run_start is not None:
        return AfterRunStart(minutes=minutes_of(spec.after_run_start))
    return MaxAge(minutes=minutes_of(spec.max_age or ""))


def _calendar(spec: SlaSpec, defaults: Defaults) -> Calendar:
    if spec.calendar is None:
        days = tuple(Weekday) if spec.days is None else days_of(spec.days)
        return Calendar(days=days, holidays=tuple(sorted(set(spec.holidays or ()))))
    if spec.calendar not in defaults.calendars:
        known = ", ".join(sorted(defaults.calendars)) or "none"
        raise ValueError(f"There is no calendar {spec.calendar!r}; known are: {known}.")
    return defaults.calendars[spec.calendar]


def refs_of(callbacks: Iterable[str | Callback]) -> tuple[CallbackRef, ...]:
    """Return callbacks as an SLA holds them."""
    return tuple(
        CallbackRef(path=each)
        if isinstance(each, str)
        else CallbackRef(path=each.path, kwargs=each.kwargs)
        for each in callbacks
    )


def _or(given: tuple[Any, ...] | None, default: tuple[Any, ...]) -> tuple[Any, ...]:
    return default if given is None else given


def _called(kind: SubjectKind) -> str:
    name = "DAG" if kind is SubjectKind.DAG else str(kind).replace("_", " ")
    return f"an {name}" if kind is SubjectKind.ASSET else f"a {name}"
