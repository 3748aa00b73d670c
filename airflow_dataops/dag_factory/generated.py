"""What the DAG files of `airflow-dag-gen` need, besides Airflow's own classes and our operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.sla.declared import slas_from_json
from airflow_dataops.dag_factory.params import run_params
from airflow_dataops.operators.node import NodeOperator
from airflow_dataops.slas.dag_slas import put_slas
from airflow_dataops.task_groups.operators import own_params

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow.sdk import DAG

__all__ = ["complete", "run_params"]


def complete(dag: DAG, slas: Iterable[Mapping[str, Any]] = ()) -> None:
    """Give a generated DAG what no operator can be given, as `load_dags` does.

    Args:
        dag: with all of its generated tasks.
        slas: as plain data, as they are in `default_args["slas"]` of a live DAG.

    Raises:
        ConfigError: `slas` are no such data.
    """
    for task in dag.tasks:
        if isinstance(task, NodeOperator):
            task.params = own_params(task)
    if found := list(slas):
        put_slas(dag, slas_from_json(found, f"SLAS of DAG {dag.dag_id!r}"))
