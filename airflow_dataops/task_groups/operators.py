"""One planned task -> one operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.model import Struct
from airflow_dataops.core.plan import Engine, TaskKind
from airflow_dataops.errors import ConfigError
from airflow_dataops.operators.build import BuildOperator
from airflow_dataops.operators.dbt_config import DbtConfig
from airflow_dataops.operators.freshness import FreshnessOperator
from airflow_dataops.operators.test import TestOperator
from airflow_dataops.task_groups.assets import asset_of

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

    from airflow_dataops.core.model import Project
    from airflow_dataops.core.plan import PlannedTask

_SQL_OPERATORS = {
    TaskKind.BUILD: BuildOperator,
    TaskKind.TEST: TestOperator,
    TaskKind.FRESHNESS: FreshnessOperator,
}


class Warehouse(Struct, frozen=True):
    """Where the nodes of a manifest run.

    Attributes:
        manifest: absolute path of the manifest.
        conn_id: the Airflow connection.
        dbt: how to call dbt, where some nodes need it.
    """

    manifest: str
    conn_id: str
    dbt: DbtConfig | None = None


def make_operator(
    task: PlannedTask, project: Project, warehouse: Warehouse, **place: Any
) -> BaseOperator:
    """Build the operator of one planned task.

    Args:
        place: `task_id`, `dag` and `task_group`.

    Raises:
        ConfigError: an operator argument is none that Airflow knows, or has a wrong value.
    """
    node = project.nodes[task.node]
    arguments: dict[str, Any] = {"doc_md": node.description or None} | task.arguments | place
    if task.kind is TaskKind.BUILD and node.relation:
        own = asset_of(node.relation, warehouse.conn_id)
        arguments["outlets"] = [own, *task.arguments.get("outlets", ())]
    try:
        if task.engine is Engine.DBT:
            return _dbt_operator(task, project, warehouse, arguments)
        return _SQL_OPERATORS[task.kind](
            manifest=warehouse.manifest, nodes=task.nodes, conn_id=warehouse.conn_id, **arguments
        )
    except (TypeError, ValueError) as error:
        where = node.declared_in or node.path
        raise ConfigError(
            f"{task.id} ({node.id}, {where}): Airflow does not take these operator arguments: "
            f"{error}. They come from operator_args, group_args, tag_args or meta.airflow"
        ) from error


def _dbt_operator(
    task: PlannedTask, project: Project, warehouse: Warehouse, arguments: dict[str, Any]
) -> BaseOperator:
    # Cosmos is an extra, and dear to import: only DAGs that need it pay.
    from airflow_dataops.operators.dbt import dbt_operator

    if warehouse.dbt is None:
        raise ConfigError(f"{task.id} needs dbt: pass dbt=DbtConfig(project_dir=...)")
    nodes = [project.nodes[id_] for id_ in task.nodes]
    return dbt_operator(nodes, warehouse.dbt, warehouse.conn_id, arguments)
