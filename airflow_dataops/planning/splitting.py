"""A manifest that becomes several DAGs: what the caller asked for, and the names of the DAGs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_dataops.adapters.plan_store import PartRequest, SplitRequest
from airflow_dataops.core.plan import Cycles, SplitBy, split_options
from airflow_dataops.errors import ConfigError
from airflow_dataops.planning.arguments import SplitArguments
from airflow_dataops.planning.request import hashable


def take_split(arguments: dict[str, Any]) -> SplitArguments:
    """Take the arguments of a split out of all others."""
    found: dict[str, Any] = {
        name: arguments.pop(name)
        for name in SplitArguments.__annotations__
        if arguments.get(name) is not None
    }
    for name in SplitArguments.__annotations__:
        arguments.pop(name, None)
    return found  # type: ignore[return-value]


def split_request(asked: SplitArguments, *, has_schedule: bool = False) -> SplitRequest | None:
    """Return how to split a project, None where it stays whole in any case.

    Args:
        has_schedule: whether the caller sets the schedule of its DAGs.

    Raises:
        ConfigError: the arguments are wrong.
    """
    selectors = asked.get("selectors")
    if selectors is not None and not isinstance(selectors, Mapping):
        raise ConfigError(
            f"selectors={selectors!r}: write what each part takes, by its name, such as "
            "{'finance': 'tag:finance+'}."
        )
    options = split_options(
        split_by=asked.get("split_by"),
        unassigned=asked.get("unassigned"),
        cycles=asked.get("cycles") or Cycles.CUT,
        selectors=bool(selectors),
        caller_schedules=has_schedule,
    )
    if options.by is SplitBy.NONE or (has_schedule and not asked.keys() - {"cycles"}):
        return None
    return SplitRequest(
        options=options,
        selectors={name: _part_request(name, given) for name, given in (selectors or {}).items()},
    )


def _part_request(name: Any, given: Any) -> PartRequest:
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"selectors[{name!r}]: name the part, which goes into the DAG's id.")
    if isinstance(given, Mapping):
        if not given or given.keys() - {"select", "exclude"}:
            raise ConfigError(
                f"selectors[{name!r}]: expected 'select', 'exclude' or both, got {dict(given)!r}"
            )
        return PartRequest(
            select=hashable(given.get("select"), f"selectors[{name!r}].select"),
            exclude=hashable(given.get("exclude"), f"selectors[{name!r}].exclude"),
        )
    if isinstance(given, str | Sequence):
        return PartRequest(select=hashable(given, f"selectors[{name!r}]"))
    raise ConfigError(
        f"selectors[{name!r}]: expected dbt's selection language, such as 'tag:finance+', got "
        f"{given!r}"
    )
