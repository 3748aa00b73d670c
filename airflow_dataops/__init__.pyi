from airflow_dataops.adapters.backfills import backfill as backfill
from airflow_dataops.dag_factory.dbt import dbt_dag as dbt_dag
from airflow_dataops.dag_factory.load import load_dags as load_dags
from airflow_dataops.hooks.duckdb import DuckDBHook as DuckDBHook
from airflow_dataops.hooks.sources import Source as Source
from airflow_dataops.operators.build import BuildOperator as BuildOperator
from airflow_dataops.operators.dbt_config import DbtConfig as DbtConfig
from airflow_dataops.operators.freshness import FreshnessOperator as FreshnessOperator
from airflow_dataops.operators.test import TestOperator as TestOperator
from airflow_dataops.task_groups.dbt import dbt_task_group as dbt_task_group

__version__: str
