"""The SLA file for hand-written DAGs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk.definitions._internal.contextmanager import DagContext

from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.sources import locate
from airflow_dataops.slas.files import put_rules

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import DAG


def load_slas(file: str | Path, dag: DAG | None = None) -> None:
    """Give a DAG the SLAs that an SLA file has for it, its tasks and its groups.

    Call it when the tasks are there. `dbt_dag` and `load_dags` take the file as `slas`.

    Args:
        file: relative to the DAG file.
        dag: the DAG; None inside a `with DAG(...)` block.

    Raises:
        ConfigError: the file is wrong (all mistakes at once, each with its path), or a subject
            has another SLA of the same name.
    """
    dag = dag or DagContext.get_current()
    if dag is None:
        raise ConfigError(
            f"load_slas({str(file)!r}) is outside of a DAG: call it inside `with DAG(...)`, or "
            "pass dag="
        )
    put_rules(dag, locate(file))
