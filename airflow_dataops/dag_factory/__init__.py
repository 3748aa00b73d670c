"""Plan -> DAG."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_dataops.dag_factory.dbt import dbt_dag
    from airflow_dataops.dag_factory.load import load_dags

__all__ = ["dbt_dag", "load_dags"]

_HOMES = {"dbt_dag": "dbt", "load_dags": "load"}


def __getattr__(name: str) -> Any:
    """Load each factory when it is first asked for: a worker needs one."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
