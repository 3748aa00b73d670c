"""A manifest's nodes -> tasks in a DAG."""

from __future__ import annotations

import importlib.util
import logging
from typing import TYPE_CHECKING, Any, TypedDict, cast

from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.core.model import Project, Struct
from airflow_dataops.core.plan import Engine, Plan, PlanOptions, make_plan, plan_options
from airflow_dataops.core.selection import select_nodes
from airflow_dataops.errors import ManifestError
from airflow_dataops.task_groups.operators import Warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airflow_dataops.operators.dbt_config import DbtConfig

log = logging.getLogger(__name__)

_NOT_OPTIONS = frozenset({"select", "exclude", "dbt"})


class PlanArguments(TypedDict, total=False):
    """What `dbt_dag`, `dbt_task_group` and `load_dags` take besides Airflow's own arguments.

    Attributes:
        select: nodes to run, in dbt's selection language; all by default.
        exclude: nodes to leave out.
        engine: `auto` (compiled SQL where that is faithful, else dbt), `sql` or `dbt`.
        group_by: what TaskGroups stand for: `layer`, `folder`, `tag`, `schema`, `none`.
        freshness: `gate` (a stale source stops what reads from it) or `skip`.
        operator_args: operator arguments of every task, such as `{"retries": 3}`.
        group_args: operator arguments by group, such as `{"marts": {"pool": "small"}}`.
        tag_args: operator arguments by tag. A model's own `meta.airflow` beats them all.
        dbt: how to call dbt, for the nodes that compiled SQL cannot express.
    """

    select: str | Sequence[str] | None
    exclude: str | Sequence[str] | None
    engine: str
    group_by: str
    freshness: str
    operator_args: Mapping[str, Any]
    group_args: Mapping[str, Mapping[str, Any]]
    tag_args: Mapping[str, Mapping[str, Any]]
    dbt: DbtConfig | None


class Planned(Struct, frozen=True):
    """A plan with what is needed to turn it into operators."""

    plan: Plan
    project: Project
    warehouse: Warehouse


def plan_manifest(manifest: Path, conn_id: str, arguments: PlanArguments) -> Planned:
    """Read a manifest and plan the tasks that the caller asked for.

    Raises:
        ManifestError: it is no manifest, or has nodes that cannot run.
        ConfigError: an argument is wrong, or the file is not there.
    """
    project = open_manifest(manifest).project()
    options = _options(arguments)
    selected = select_nodes(project, arguments.get("select"), arguments.get("exclude"))
    try:
        plan = make_plan(project, options, selected)
    except ManifestError as error:
        raise ManifestError(str(manifest), error.problems) from None
    for warning in plan.warnings:
        log.warning("%s: %s", manifest, warning)
    warehouse = Warehouse(manifest=str(manifest), conn_id=conn_id, dbt=arguments.get("dbt"))
    return Planned(plan=plan, project=project, warehouse=warehouse)


def split_arguments(arguments: Mapping[str, Any]) -> tuple[PlanArguments, dict[str, Any]]:
    """Split keyword arguments into those of the plan and those of Airflow."""
    ours = PlanArguments.__annotations__.keys()
    planning = {name: value for name, value in arguments.items() if name in ours}
    rest = {name: value for name, value in arguments.items() if name not in ours}
    return cast("PlanArguments", planning), rest


def _options(arguments: PlanArguments) -> PlanOptions:
    missing = _dbt_unavailable(arguments.get("dbt"))
    words: dict[str, Any] = {
        name: value for name, value in arguments.items() if name not in _NOT_OPTIONS
    }
    return plan_options(**words, unavailable={Engine.DBT: missing} if missing else {})


def _dbt_unavailable(dbt: DbtConfig | None) -> str | None:
    """Say what is missing before dbt can run nodes, None when nothing is."""
    if importlib.util.find_spec("cosmos") is None:
        return "the extra is not installed: pip install 'airflow-dataops[dbt]'"
    if dbt is None:
        return "it has not been told where: pass dbt=DbtConfig(project_dir=, profile=, target=)"
    return None
