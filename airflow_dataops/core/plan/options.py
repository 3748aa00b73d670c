"""Arguments as users write them -> `PlanOptions`."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from airflow_dataops.core.plan.structs import (
    AssetsWhen,
    Cycles,
    Engine,
    EngineChoice,
    FreshnessMode,
    Granularity,
    GroupBy,
    PlanOptions,
    RunHooks,
    ScheduleFrom,
    SplitBy,
    SplitOptions,
    StartWhen,
    TestsIn,
    Unassigned,
)
from airflow_dataops.errors import ConfigError

_Choice = TypeVar("_Choice", bound=StrEnum)


def plan_options(
    *,
    engine: str = EngineChoice.AUTO,
    group_by: str = GroupBy.LAYER,
    freshness: str = FreshnessMode.GATE,
    run_hooks: str = RunHooks.RUN,
    granularity: str = Granularity.NODE,
    tests: str = TestsIn.APART,
    assets: str = AssetsWhen.BUILT,
    start_when: str = StartWhen.ALL,
    unavailable: dict[Engine, str] | None = None,
) -> PlanOptions:
    """Check the words and return the options.

    Args:
        unavailable: engines that cannot be used, each with what to do to have it.

    Raises:
        ConfigError: a word is none of those accepted; the text lists them.
    """
    unavailable = unavailable or {}
    return PlanOptions(
        engine=_choice(EngineChoice, "engine", engine),
        available=frozenset(Engine) - unavailable.keys(),
        unavailable=unavailable,
        group_by=_choice(GroupBy, "group_by", group_by),
        freshness=_choice(FreshnessMode, "freshness", freshness),
        run_hooks=_choice(RunHooks, "run_hooks", run_hooks),
        granularity=_choice(Granularity, "granularity", granularity),
        tests=_choice(TestsIn, "tests", tests),
        assets=_choice(AssetsWhen, "assets", assets),
        start_when=_choice(StartWhen, "start_when", start_when),
    )


def split_options(
    *,
    split_by: str | None = None,
    unassigned: str | None = None,
    cycles: str = Cycles.CUT,
    selectors: bool = False,
    caller_schedules: bool = False,
) -> SplitOptions:
    """Check the words and return the options.

    Args:
        split_by: None for what is asked for otherwise: selectors, else schedules.
        selectors: whether the caller names selectors.
        caller_schedules: whether the caller sets the schedule.

    Raises:
        ConfigError: a word is none of those accepted, or they exclude each other.
    """
    if selectors and split_by not in (None, SplitBy.SELECTORS):
        raise ConfigError(f"split_by={split_by!r} and selectors exclude each other; keep one")
    if not selectors and (unassigned is not None or split_by == SplitBy.SELECTORS):
        raise ConfigError(
            "split_by='selectors' and unassigned need selectors={'name': 'expression'}"
        )
    default = SplitBy.SELECTORS if selectors else SplitBy.SCHEDULE
    return SplitOptions(
        by=_choice(SplitBy, "split_by", split_by or default),
        unassigned=_choice(Unassigned, "unassigned", unassigned or Unassigned.PART),
        cycles=_choice(Cycles, "cycles", cycles),
        schedules=ScheduleFrom.CALLER if caller_schedules else ScheduleFrom.METADATA,
    )


def _choice(kind: type[_Choice], name: str, value: str) -> _Choice:
    try:
        return kind(value)
    except ValueError:
        accepted = ", ".join(repr(str(member)) for member in kind)
        raise ConfigError(f"{name}: expected one of {accepted}, got {value!r}") from None
