"""Plan -> DAG."""

from airflow_dataops.dag_factory.dbt import dbt_dag
from airflow_dataops.dag_factory.load import load_dags

__all__ = ["dbt_dag", "load_dags"]
