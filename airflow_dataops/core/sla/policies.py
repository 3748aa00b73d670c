"""An SLA: what has to be done, and by when."""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.misses import Escalation, SubjectKind, Tier

Minutes = Annotated[float, msgspec.Meta(gt=0)]
Percent = Annotated[float, msgspec.Meta(ge=0, lt=100)]


class Weekday(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


BUSINESS_DAYS = tuple(Weekday)[:5]


class Calendar(Struct, frozen=True, forbid_unknown_fields=True):
    """The days on which something is due.

    Attributes:
        days: weekdays; all of them by default. `BUSINESS_DAYS` are Monday to Friday.
        holidays: days that are left out.
    """

    days: tuple[Weekday, ...] = tuple(Weekday)
    holidays: tuple[date, ...] = ()

    def __contains__(self, day: date) -> bool:
        return tuple(Weekday)[day.weekday()] in self.days and day not in self.holidays


class ByTime(Struct, frozen=True, tag="by_time", forbid_unknown_fields=True):
    """Done by a time on the clock: the first one after the run's data is complete.

    A run whose day is not in the calendar owes nothing.

    Attributes:
        at: local time, such as `07:00`.
        timezone: IANA name, such as `Europe/Berlin`. A time that a change of clocks leaves
            out is due when the clock jumps over it; one that comes twice, at the first.
    """

    at: time
    timezone: str = "UTC"
    calendar: Calendar = Calendar()


class AfterInterval(Struct, frozen=True, tag="after_interval", forbid_unknown_fields=True):
    """Done so long after the end of the run's data interval."""

    minutes: Minutes


class AfterRunStart(Struct, frozen=True, tag="after_run_start", forbid_unknown_fields=True):
    """Done so long after the run began."""

    minutes: Minutes


class AfterTaskStart(Struct, frozen=True, tag="after_task_start", forbid_unknown_fields=True):
    """Done so long after the task itself began, with all its tries."""

    minutes: Minutes


class MaxAge(Struct, frozen=True, tag="max_age", forbid_unknown_fields=True):
    """A table or an asset that is never older."""

    minutes: Minutes


Due = ByTime | AfterInterval | AfterRunStart | AfterTaskStart | MaxAge


class RunType(StrEnum):
    """Why a run was made; Airflow's names."""

    SCHEDULED = "scheduled"
    ASSET = "asset_triggered"
    MATERIALIZED = "asset_materialization"
    TRIGGERED = "operator_triggered"
    """By another DAG."""
    MANUAL = "manual"
    BACKFILL = "backfill"


SCHEDULED_RUNS = (RunType.SCHEDULED, RunType.ASSET, RunType.MATERIALIZED, RunType.TRIGGERED)
"""The runs that owe something by default: those that Airflow starts by itself."""


class CallbackRef(Struct, frozen=True, forbid_unknown_fields=True):
    """A callback as data, so that it travels in the serialized DAG and runs anywhere.

    Attributes:
        path: dotted path of a function, which is called with a `SlaMissContext` and these
            keyword arguments, or of a notifier's class, which is made of them.
        kwargs: plain data.
    """

    path: str
    kwargs: dict[str, Any] = {}


class Sla(Struct, frozen=True, forbid_unknown_fields=True):
    """One SLA.

    Attributes:
        name: unique for its subject.
        kind: what it is about; a `task` may be mapped, then all of its instances count.
        dag_id, task_id: of a task; a task group's id is a `task_id`, too.
        subject: of a table or an asset: its name.
        members: ids of a task group's tasks, where they do not begin with its id.
        due: see the classes.
        owner: who is told; the task's own by default.
        warn_at: percentile of the earlier durations by which it is told ahead that it will
            probably be late; None for the tier's, 0 for never.
        run_types: other runs owe nothing.
        escalate: who else is told when it is not solved, besides whom the alerts file names.
        on_miss: what is called, once for each miss.
    """

    name: str
    kind: SubjectKind
    due: Due
    dag_id: str | None = None
    task_id: str | None = None
    subject: str = ""
    members: tuple[str, ...] = ()
    tier: Tier = Tier.IMPORTANT
    owner: str | None = None
    tags: tuple[str, ...] = ()
    warn_at: Percent | None = None
    run_types: tuple[RunType, ...] = SCHEDULED_RUNS
    escalate: tuple[Escalation, ...] = ()
    on_miss: tuple[CallbackRef, ...] = ()


class TierDefaults(Struct, frozen=True, forbid_unknown_fields=True):
    """What the SLAs of a tier have in common.

    Attributes:
        warn_at: see `Sla`; None for no warnings.
        objective: share of SLAs to be met, percent, for error budgets.
        escalate, on_miss: see `Sla`; of those SLAs that have none of their own.
    """

    warn_at: Percent | None
    objective: Annotated[float, msgspec.Meta(gt=0, le=100)]
    escalate: tuple[Escalation, ...] = ()
    on_miss: tuple[CallbackRef, ...] = ()


DEFAULTS = {
    Tier.CRITICAL: TierDefaults(warn_at=90, objective=99.9),
    Tier.IMPORTANT: TierDefaults(warn_at=95, objective=99),
    Tier.NICE_TO_HAVE: TierDefaults(warn_at=None, objective=95),
}


def warn_percentile(sla: Sla) -> float | None:
    """Return the percentile that an SLA warns at, its own or its tier's; None for none."""
    return DEFAULTS[sla.tier].warn_at if sla.warn_at is None else sla.warn_at or None
