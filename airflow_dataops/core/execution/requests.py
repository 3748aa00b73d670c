"""What a run was asked for, beyond what its DAG says: the params of the trigger form."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.arguments import did_you_mean
from airflow_dataops.core.execution.batches import Interval, midnight
from airflow_dataops.core.execution.values import RunValues
from airflow_dataops.core.model import Mode, Struct
from airflow_dataops.core.relocation import Relocation
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet


class DateRange(Struct, frozen=True):
    """Days that an incremental model builds anew: from `begin` on, up to but without `end`."""

    begin: date
    end: date


class RunRequest(Struct, frozen=True):
    """What one run does.

    Attributes:
        full_refresh: build incremental models and seeds anew.
        select, exclude: nodes, in dbt's selection language; empty for all and none.
        days: days that incremental models build anew.
        interval: the times that the run is for, which its microbatch models build; None where
            they build up to now.
        dry_run: show the SQL and run none that changes anything.
        assets: emit the assets of tables, which start other DAGs.
        values: what the run has for itself, its vars among them.
        relations: where tables are in this environment, if elsewhere than in the manifest.
    """

    full_refresh: bool = False
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    mode: Mode = Mode.ALL
    days: DateRange | None = None
    interval: Interval | None = None
    dry_run: bool = False
    assets: bool = True
    values: RunValues = RunValues()
    relations: Relocation | None = None

    def times(self) -> Interval | None:
        """Return the times that microbatch models build: the days asked for, or the run's own."""
        if self.days is None:
            return self.interval
        return Interval(begin=midnight(self.days.begin), end=midnight(self.days.end), exact=True)

    @property
    def narrows(self) -> bool:
        """Whether only some nodes take part."""
        return bool(self.select or self.exclude)

    @property
    def does_all(self) -> bool:
        """Whether what takes part does all that it does."""
        return self.mode is Mode.ALL


PARAMS = frozenset(
    {"full_refresh", "select", "exclude", "mode", "begin", "end", "dry_run", "assets", "vars"}
)
"""What a run may be asked for."""


def read_request(params: Mapping[str, Any], declared: AbstractSet[str] | None = None) -> RunRequest:
    """Read the params of a run; those that are not there have their defaults.

    Args:
        declared: names of the params that the DAG declares; None where that is not known. The
            others come from the conf of the run.

    Raises:
        ConfigError: one of them is wrong; the text says which and what is accepted.
    """
    if declared is not None:
        _refuse_unknown(params.keys() - declared, declared)
    request = RunRequest(
        full_refresh=_flag(params, "full_refresh"),
        select=_expression(params, "select"),
        exclude=_expression(params, "exclude"),
        mode=_mode(params.get("mode")),
        days=_days(_day(params, "begin"), _day(params, "end")),
        dry_run=_flag(params, "dry_run"),
        assets=_flag(params, "assets", default=True),
        values=RunValues(variables=_variables(params.get("vars"))),
    )
    if request.full_refresh and request.days:
        raise ConfigError(
            "params full_refresh and begin/end exclude each other: a full refresh builds all days"
        )
    return request


def _refuse_unknown(given: AbstractSet[str], declared: AbstractSet[str]) -> None:
    """Refuse what the conf of a run asks for in vain.

    A DAG of `dbt_dag` declares all params, and whatever else is asked for is a mistake. In
    somebody's own DAG that declares some, a conf may hold what concerns other tasks, but for what
    is nearly one of ours.
    """
    own_dag = declared >= PARAMS
    if not declared & PARAMS:
        return
    for name in sorted(name for name in given - PARAMS if not name.startswith("_")):
        hint = did_you_mean(name, PARAMS)
        if own_dag or hint:
            raise ConfigError(
                f"conf of the run: it has no param {name!r}{hint}. It takes "
                f"{', '.join(sorted(PARAMS | declared))}."
            )


def _flag(params: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    value = params.get(name)
    if value is None or isinstance(value, bool):
        return default if value is None else value
    raise ConfigError(f"param {name}: expected true or false, got {value!r}")


def _expression(params: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = params.get(name)
    texts = [value] if isinstance(value, str) else value or []
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ConfigError(
            f"param {name}: expected dbt's selection language, such as 'tag:daily fct_orders+', "
            f"got {value!r}"
        )
    return tuple(text.strip() for text in texts if text.strip())


def _variables(value: Any) -> dict[str, Any]:
    if value is None or value == "":
        return {}
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return dict(value)
    raise ConfigError(
        "param vars: expected dbt's vars by name, such as {'run_day': '2026-01-31'}, got "
        f"{value!r}"
    )


def _mode(value: Any) -> Mode:
    if value is None:
        return Mode.ALL
    try:
        return Mode(value)
    except ValueError:
        accepted = ", ".join(repr(str(mode)) for mode in Mode)
        raise ConfigError(f"param mode: expected one of {accepted}, got {value!r}") from None


def _day(params: Mapping[str, Any], name: str) -> date | None:
    value = params.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ConfigError(
            f"param {name}: expected a day such as '2026-01-31', got {value!r}"
        ) from None


def _days(begin: date | None, end: date | None) -> DateRange | None:
    if begin is None and end is None:
        return None
    if begin is None or end is None:
        raise ConfigError("params begin and end: set both; the range is without the day of end")
    if begin >= end:
        raise ConfigError(f"params begin and end: {begin} is not before {end}")
    return DateRange(begin=begin, end=end)
