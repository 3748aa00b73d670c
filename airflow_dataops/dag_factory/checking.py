"""Plans -> DAGs that nobody runs: whether Airflow takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.adapters.plan_store import StoredPlan
from airflow_dataops.core.plan import ArgumentLayers, Engine
from airflow_dataops.core.plan.names import dag_id_of
from airflow_dataops.dag_factory.dbt import build_dag
from airflow_dataops.errors import ConfigError, ManifestError, Problem
from airflow_dataops.planning.manifest import Planned
from airflow_dataops.planning.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airflow_dataops.core.plan import Plan


def build_dags(manifest: Path, plans: Sequence[Plan]) -> None:
    """Build the DAG of each plan the way a DAG file does, and let Airflow validate it.

    Tasks on engine dbt are built as if SQL ran them: what dbt needs is in the DAG file.

    Raises:
        ManifestError: Airflow does not take a DAG; all that is wrong with any of them.
    """
    problems = []
    for plan in plans:
        dag_id = dag_id_of(plan.name, plan.part)
        try:
            _build(manifest, plan, dag_id)
        except (ConfigError, TypeError, ValueError) as error:
            problems.append(Problem(f"Airflow does not take the DAG {dag_id!r}: {error}"))
    if problems:
        raise ManifestError(str(manifest), problems)


def _build(manifest: Path, plan: Plan, dag_id: str) -> None:
    plan = replace(
        plan, tasks={id_: replace(task, engine=Engine.SQL) for id_, task in plan.tasks.items()}
    )
    warehouse = Warehouse(manifest=str(manifest.absolute()), conn_id="warehouse")
    planned = Planned(StoredPlan(plan, plan, lambda: plan), warehouse, ArgumentLayers())
    build_dag(planned, dag_id, {}).validate()
