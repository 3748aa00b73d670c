"""What the DAG files of `airflow-dag-gen` need, besides Airflow's own classes and our operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.plan import Engine, TaskKind
from airflow_dataops.core.plan.structs import PlannedTask
from airflow_dataops.core.sla.declared import slas_from_json
from airflow_dataops.dag_factory.params import put_run_params
from airflow_dataops.slas.dag_slas import put_slas
from airflow_dataops.task_groups.operators import dbt_task_operator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow.sdk import DAG, BaseOperator

    from airflow_dataops.core.model import NodeKind
    from airflow_dataops.core.plan.structs import Builder
    from airflow_dataops.planning.warehouse import Warehouse


def dbt_task(
    *,
    task_id: str,
    nodes: tuple[str, ...],
    node_kind: NodeKind,
    fqns: tuple[tuple[str, ...], ...],
    warehouse: Warehouse,
    kind: TaskKind = TaskKind.BUILD,
    fingerprint: str = "",
    around: tuple[Builder, ...] = (),
    **arguments: Any,
) -> BaseOperator:
    """Return the operator of nodes that only dbt can run.

    Args:
        nodes: their ids.
        node_kind: what they are.
        fqns: where dbt finds them.
        warehouse: with how to call dbt.
        kind: what the task does; hooks around a run have `around`, what is built between them.
        fingerprint: tells one state of the nodes from the next.
        arguments: those of Airflow's operators.

    Raises:
        MissingExtraError: the extra `dbt` is not installed.
    """
    task = PlannedTask(
        id=task_id,
        kind=kind,
        nodes=nodes,
        node_kind=node_kind,
        engine=Engine.DBT,
        reason="",
        fqns=fqns,
        fingerprint=fingerprint,
        around=around,
    )
    own = {"around": around} if around else {}
    return dbt_task_operator(task, warehouse, {**arguments, **own, "task_id": task_id})


def complete(dag: DAG, slas: Iterable[Mapping[str, Any]] = ()) -> None:
    """Give a generated DAG the params of the trigger form and its SLAs, as `load_dags` does.

    Args:
        dag: with all of its generated tasks.
        slas: as plain data, as they are in `default_args["slas"]` of a live DAG.

    Raises:
        ConfigError: `slas` are no such data.
    """
    put_run_params(dag)
    if found := list(slas):
        put_slas(dag, slas_from_json(found, f"SLAS of DAG {dag.dag_id!r}"))
