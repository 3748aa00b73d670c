"""A manifest's nodes -> a plan of tasks, as the caller asked for."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, TypedDict, cast

from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.adapters.plan_store import (
    PlanRequest,
    Selection,
    SplitRequest,
    StoredPlan,
    StoredSplit,
    open_plan,
    open_split,
)
from airflow_dataops.core.plan import ArgumentLayers, Engine, argument_layers, plan_options
from airflow_dataops.errors import ConfigError
from airflow_dataops.task_groups.operators import Warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airflow_dataops.operators.dbt_config import DbtConfig


class PlanArguments(TypedDict, total=False):
    """What `dbt_dag`, `dbt_task_group` and `load_dags` take besides Airflow's own arguments.

    Attributes:
        select: nodes to run, in dbt's selection language; all by default.
        exclude: nodes to leave out.
        on_empty: what to do where a part of a selection matches nothing: `error` or `warn`.
        engine: `auto` (compiled SQL where that is faithful, else dbt), `sql` or `dbt`.
        group_by: what TaskGroups stand for: `layer`, `folder`, `tag`, `schema`, `none`.
        freshness: `gate` (a stale source stops what reads from it) or `skip`.
        granularity: how much one task runs: `node`, `chain` (models in a row, with their
            tests), `layer` or `dag`.
        assets: when a table's asset is emitted: `built`, or `tested` (after its tests).
        start_on: what other DAGs fill and whose freshness starts this one, in the selection
            language (`source:shop`); by default the models of other projects, `()` for nothing.
            Not for task groups.
        start_when: whether `all` or `any` inputs must be fresh.
        threads: sessions that a task of several nodes may open; 4 by default, 1 on DuckDB.
        operator_args: operator arguments of every task, such as `{"retries": 3}`.
        group_args: operator arguments by group, such as `{"marts": {"pool": "small"}}`.
        tag_args: operator arguments by tag. A model's own `meta.airflow` beats them all.
        dbt: how to call dbt, for the nodes that compiled SQL cannot express.
    """

    select: str | Sequence[str] | None
    exclude: str | Sequence[str] | None
    on_empty: str
    engine: str
    group_by: str
    freshness: str
    granularity: str
    assets: str
    start_on: str | Sequence[str] | None
    start_when: str
    threads: int | None
    operator_args: Mapping[str, Any]
    group_args: Mapping[str, Mapping[str, Any]]
    tag_args: Mapping[str, Mapping[str, Any]]
    dbt: DbtConfig | None


_ON_EMPTY = ("error", "warn")
_LAYERS = ("operator_args", "group_args", "tag_args")
_OPTIONS = ("engine", "group_by", "freshness", "granularity", "assets", "start_when")


class Planned:
    """A plan with what is needed to turn it into operators."""

    def __init__(self, plan: StoredPlan, warehouse: Warehouse, layers: ArgumentLayers) -> None:
        self.plan = plan
        self.warehouse = warehouse
        self.layers = layers


def plan_manifest(manifest: Path, conn_id: str, arguments: PlanArguments) -> Planned:
    """Plan the tasks of a manifest that the caller asked for.

    Raises:
        ManifestError: it is no manifest, or has nodes that cannot run.
        ConfigError: an argument is wrong, or the file is not there.
    """
    plan = open_plan(open_manifest(manifest), _request(arguments))
    return _planned(plan, manifest, conn_id, arguments)


class PlannedParts:
    """The plans of a project's parts.

    Attributes:
        parts: their names; one empty name where the project stayed whole.
    """

    def __init__(
        self, split: StoredSplit, manifest: Path, conn_id: str, arguments: PlanArguments
    ) -> None:
        self.parts = split.parts
        self._split = split
        self._rest = (manifest, conn_id, arguments)

    def planned(self, place: int) -> Planned:
        """Return what one part needs to be turned into operators."""
        return _planned(self._split.plan(place), *self._rest)


def plan_parts(
    manifest: Path, conn_id: str, arguments: PlanArguments, split: SplitRequest
) -> PlannedParts:
    """Plan the parts of a manifest, each a DAG; errors as for `plan_manifest`."""
    stored = open_split(open_manifest(manifest), _request(arguments), split)
    return PlannedParts(stored, manifest, conn_id, arguments)


def _request(arguments: PlanArguments) -> PlanRequest:
    given: Mapping[str, Any] = arguments
    missing = _dbt_unavailable(arguments.get("dbt"))
    options = plan_options(
        **{name: given[name] for name in _OPTIONS if name in given},
        unavailable={Engine.DBT: missing} if missing else {},
    )
    return PlanRequest(
        select=hashable(arguments.get("select")),
        exclude=hashable(arguments.get("exclude")),
        options=options,
        start_on=hashable(arguments.get("start_on")),
        on_empty=_on_empty(arguments),
    )


def _planned(plan: StoredPlan, manifest: Path, conn_id: str, arguments: PlanArguments) -> Planned:
    given: Mapping[str, Any] = arguments
    layers = argument_layers(**{name: given[name] for name in _LAYERS if name in given})
    warehouse = Warehouse(
        manifest=str(manifest),
        conn_id=conn_id,
        dbt=arguments.get("dbt"),
        threads=_threads(arguments),
    )
    return Planned(plan, warehouse, layers)


def split_arguments(arguments: Mapping[str, Any]) -> tuple[PlanArguments, dict[str, Any]]:
    """Split keyword arguments into those of the plan and those of Airflow."""
    ours = PlanArguments.__annotations__.keys()
    planning = {name: value for name, value in arguments.items() if name in ours}
    rest = {name: value for name, value in arguments.items() if name not in ours}
    return cast("PlanArguments", planning), rest


def hashable(selection: str | Sequence[str] | None) -> Selection:
    """Return a selection as a request holds it."""
    return selection if selection is None or isinstance(selection, str) else tuple(selection)


def _on_empty(arguments: PlanArguments) -> str:
    on_empty = arguments.get("on_empty", "error")
    if on_empty not in _ON_EMPTY:
        raise ConfigError(f"on_empty: expected {' or '.join(_ON_EMPTY)}, got {on_empty!r}")
    return on_empty


def _threads(arguments: PlanArguments) -> int | None:
    threads = arguments.get("threads")
    if threads is not None and (type(threads) is not int or threads < 1):
        raise ConfigError(f"threads: expected a whole number from 1 on, got {threads!r}")
    return threads


def _dbt_unavailable(dbt: DbtConfig | None) -> str | None:
    """Say what is missing before dbt can run nodes, None when nothing is."""
    if importlib.util.find_spec("cosmos") is None:
        return "the extra is not installed: pip install 'airflow-dataops[dbt]'"
    if dbt is None:
        return "it has not been told where: pass dbt=DbtConfig(project_dir=, profile=, target=)"
    return None
