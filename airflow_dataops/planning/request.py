"""Arguments, checked -> which part of a manifest to plan, and how."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from airflow_dataops.adapters.plan_store import PlanRequest, Selection
from airflow_dataops.core.arguments import instance, texts
from airflow_dataops.core.plan import Engine, plan_options
from airflow_dataops.core.relocation import read_relocation
from airflow_dataops.errors import ConfigError
from airflow_dataops.planning.dbt_config import DbtConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_dataops.planning.arguments import PlanArguments

_ON_EMPTY = ("error", "warn")
_OPTIONS = (
    *(
        "engine",
        "group_by",
        "freshness",
        "run_hooks",
        "granularity",
        "assets",
        "start_when",
        "tests",
    ),
)


def request_of(arguments: PlanArguments) -> PlanRequest:
    """Check the arguments that choose and plan nodes. Raises `ConfigError`."""
    given: Mapping[str, Any] = arguments
    missing = _dbt_unavailable(dbt_of(arguments))
    options = plan_options(
        **{name: given[name] for name in _OPTIONS if name in given},
        unavailable={Engine.DBT: missing} if missing else {},
    )
    return PlanRequest(
        select=hashable(arguments.get("select"), "select"),
        exclude=hashable(arguments.get("exclude"), "exclude"),
        options=options,
        start_on=hashable(arguments.get("start_on"), "start_on"),
        on_empty=_on_empty(arguments),
        relations=relations_of(arguments),
    )


def relations_of(arguments: PlanArguments) -> dict[str, dict[str, str]]:
    """Return `relations` as plain data. Raises `ConfigError` where it has another form."""
    found = arguments.get("relations")
    if not found:
        return {}
    read_relocation(found, None)
    return {part: dict(names) for part, names in found.items()}


def threads_of(arguments: PlanArguments) -> int | None:
    """Return how many sessions a task may open. Raises `ConfigError`."""
    threads = arguments.get("threads")
    if threads is not None and (type(threads) is not int or threads < 1):
        raise ConfigError(f"threads: expected a whole number from 1 on, got {threads!r}")
    return threads


def dbt_of(arguments: PlanArguments) -> DbtConfig | None:
    """Return how to call dbt, None where nobody said. Raises `ConfigError`."""
    found = arguments.get("dbt")
    return None if found is None else instance(DbtConfig, found, "dbt")


def hashable(selection: str | Sequence[str] | None, what: str) -> Selection:
    """Return a selection as a request holds it. Raises `ConfigError`."""
    if selection is None or isinstance(selection, str):
        return selection
    return texts(selection, what)


def _on_empty(arguments: PlanArguments) -> str:
    on_empty = arguments.get("on_empty", "error")
    if on_empty not in _ON_EMPTY:
        raise ConfigError(f"on_empty: expected {' or '.join(_ON_EMPTY)}, got {on_empty!r}")
    return on_empty


def _dbt_unavailable(dbt: DbtConfig | None) -> str | None:
    """Say what is missing before dbt can run nodes, None when nothing is."""
    if importlib.util.find_spec("cosmos") is None:
        return "the extra is not installed: pip install 'airflow-dataops[dbt]'"
    if dbt is None:
        return "it has not been told where: pass dbt=DbtConfig(project_dir=, profile=, target=)"
    return None
