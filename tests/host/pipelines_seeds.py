"""The Airflow pipelines of the documents this project began with: in YAML, and by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import BranchPythonOperator, PythonOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import DAG, TaskGroup, chain

from airflow_dataops import Gate, Merge, MergeOperator, load_task_group
from tests.host import pipeline_tasks as tasks

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2024, 1, 1, tzinfo=UTC)
CASES: dict[str, tuple[str, Callable[[], list[DAG]]]] = {}


def case(text: str) -> Callable[[Callable[[], DAG | list[DAG]]], None]:
    def decorate(function: Callable[[], DAG | list[DAG]]) -> None:
        def by_hand() -> list[DAG]:
            made = function()
            return made if isinstance(made, list) else [made]

        CASES[function.__name__] = (text, by_hand)

    return decorate


@case("""
dag_id: etl_daily_sales
default_args: {owner: data-team, depends_on_past: false, retries: 3, retry_delay: 5m}
description: Daily sales ETL pipeline
schedule: "0 6 * * *"
start_date: 2024-01-01
catchup: false
tags: [etl, sales]
tasks:
  start: {operator: empty}
  extract_sales_data:
    operator: python
    python_callable: tests.host.pipeline_tasks.do
    depends_on: start
  transform_sales_data:
    operator: python
    python_callable: tests.host.pipeline_tasks.do
    depends_on: extract_sales_data
  load_to_warehouse:
    operator: python
    python_callable: tests.host.pipeline_tasks.do
    depends_on: transform_sales_data
  end: {operator: empty, depends_on: load_to_warehouse}
""")
def basic_structure() -> DAG:
    with DAG(
        "etl_daily_sales",
        default_args={
            "owner": "data-team",
            "depends_on_past": False,
            "retries": 3,
            "retry_delay": timedelta(minutes=5),
        },
        description="Daily sales ETL pipeline",
        schedule="0 6 * * *",
        start_date=START,
        catchup=False,
        tags=["etl", "sales"],
    ) as dag:
        names = ("extract_sales_data", "transform_sales_data", "load_to_warehouse")
        middle = [PythonOperator(task_id=name, python_callable=tasks.do) for name in names]
        chain(EmptyOperator(task_id="start"), *middle, EmptyOperator(task_id="end"))
    return dag


@case("""
dag_id: parallel_etl
tasks:
  start: {operator: empty}
  extract_crm: &extract
    operator: python
    python_callable: tests.host.pipeline_tasks.do
    depends_on: start
  extract_erp: *extract
  extract_web: {<<: *extract, op_kwargs: {pages: 10}}
  merge_data:
    operator: python
    python_callable: tests.host.pipeline_tasks.do
    depends_on: [extract_crm, extract_erp, extract_web]
""")
def parallel() -> DAG:
    with DAG("parallel_etl", schedule=None) as dag:
        extracts = [
            PythonOperator(task_id="extract_crm", python_callable=tasks.do),
            PythonOperator(task_id="extract_erp", python_callable=tasks.do),
            PythonOperator(
                task_id="extract_web", python_callable=tasks.do, op_kwargs={"pages": 10}
            ),
        ]
        merge = PythonOperator(task_id="merge_data", python_callable=tasks.do)
        EmptyOperator(task_id="start") >> extracts >> merge
    return dag


@case("""
parameters: {table: }
for_each: {table: [users, orders, products, inventory]}
dag_id: etl_${{ table }}
schedule: "@daily"
tasks:
  extract:
    operator: python
    python_callable: tests.host.pipeline_tasks.do
    op_kwargs: {table: "${{ table }}"}
  load:
    operator: python
    python_callable: tests.host.pipeline_tasks.do
    op_kwargs: {table: "${{ table }}"}
    depends_on: extract
""")
def dynamic_generation() -> list[DAG]:
    dags = []
    for table in ("users", "orders", "products", "inventory"):
        with DAG(f"etl_{table}", schedule="@daily") as dag:
            extract, load = (
                PythonOperator(task_id=name, python_callable=tasks.do, op_kwargs={"table": table})
                for name in ("extract", "load")
            )
            extract >> load
        dags.append(dag)
    return dags


@case("""
dag_id: daily_sales_etl_v2
description: Extract daily sales data, transform, load to Snowflake
schedule: "0 2 * * *"
start_date: 2024-01-01
catchup: false
max_active_runs: 1
tags: [sales, daily, production]
default_args:
  owner: data-engineering
  retries: 3
  retry_delay: 5m
  retry_exponential_backoff: true
  max_retry_delay: 30m
  conn_id: snowflake_prod
tasks:
  wait_for_sales_file:
    operator: file_sensor
    filepath: raw/sales/{{ ds }}/sales_export.csv
    timeout: 3600
    poke_interval: 300
    mode: reschedule
  extract_to_staging:
    operator: sql
    sql: COPY INTO staging.raw_sales FROM @lake/raw/sales/{{ ds }}/
    depends_on: wait_for_sales_file
  transform_sales:
    operator: sql
    sql: INSERT INTO staging.clean_sales SELECT DISTINCT * FROM staging.raw_sales
    depends_on: extract_to_staging
  quality_checks:
    operator: python
    python_callable: tests.host.pipeline_tasks.do
    depends_on: transform_sales
  load_to_prod:
    operator: merge
    target: prod.daily_sales
    table: staging.clean_sales
    keys: sale_id
    depends_on: quality_checks
  notify_success:
    operator: python
    python_callable: tests.host.pipeline_tasks.do
    trigger_rule: all_success
    depends_on: load_to_prod
""")
def daily_sales() -> DAG:
    with DAG(
        "daily_sales_etl_v2",
        description="Extract daily sales data, transform, load to Snowflake",
        schedule="0 2 * * *",
        start_date=START,
        catchup=False,
        max_active_runs=1,
        tags=["sales", "daily", "production"],
        default_args={
            "owner": "data-engineering",
            "retries": 3,
            "retry_delay": timedelta(minutes=5),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=30),
            "conn_id": "snowflake_prod",
        },
    ) as dag:
        chain(
            FileSensor(
                task_id="wait_for_sales_file",
                filepath="raw/sales/{{ ds }}/sales_export.csv",
                timeout=3600,
                poke_interval=300,
                mode="reschedule",
            ),
            SQLExecuteQueryOperator(
                task_id="extract_to_staging",
                sql="COPY INTO staging.raw_sales FROM @lake/raw/sales/{{ ds }}/",
            ),
            SQLExecuteQueryOperator(
                task_id="transform_sales",
                sql="INSERT INTO staging.clean_sales SELECT DISTINCT * FROM staging.raw_sales",
            ),
            PythonOperator(task_id="quality_checks", python_callable=tasks.do),
            MergeOperator(
                task_id="load_to_prod",
                target="prod.daily_sales",
                conn_id="snowflake_prod",
                table="staging.clean_sales",
                keys="sale_id",
            ),
            PythonOperator(
                task_id="notify_success", python_callable=tasks.do, trigger_rule="all_success"
            ),
        )
    return dag


@case("""
dag_id: sales_etl
schedule: "@daily"
start_date: 2024-01-01
catchup: true
max_active_runs: 3
tasks:
  extract: {operator: bash, bash_command: "python extract.py --date {{ ds }}"}
""")
def backfilling() -> DAG:
    with DAG(
        "sales_etl", schedule="@daily", start_date=START, catchup=True, max_active_runs=3
    ) as dag:
        BashOperator(task_id="extract", bash_command="python extract.py --date {{ ds }}")
    return dag


@case("""
dag_id: sync_tables
default_args: {conn_id: warehouse}
tasks:
  customers: &table
    tasks:
      sync: {operator: sql, sql: "CALL sync()"}
      validate: {operator: sql_check, sql: "SELECT 1", depends_on: sync}
  orders: *table
  products: *table
""")
def dynamic_tasks() -> DAG:
    with DAG("sync_tables", schedule=None, default_args={"conn_id": "warehouse"}) as dag:
        from airflow.providers.common.sql.operators.sql import SQLCheckOperator

        for table in ("customers", "orders", "products"):
            with TaskGroup(table):
                sync = SQLExecuteQueryOperator(task_id="sync", sql="CALL sync()")
                sync >> SQLCheckOperator(task_id="validate", sql="SELECT 1")
    return dag


@case("""
dag_id: user_events_pipeline
default_args:
  owner: data-team
  retries: 3
  retry_delay: 300
  on_failure_callback: tests.host.pipeline_tasks.told
schedule: daily
start_date: 2024-01-01
tags: [production, events]
tasks:
  extract_events:
    operator: python
    python_callable: tests.host.pipeline_tasks.do
    op_kwargs: {date: "{{ ds }}"}
  validate_data:
    operator: python
    python_callable: tests.host.pipeline_tasks.do
    depends_on: [extract_events]
""")
def user_events() -> DAG:
    with DAG(
        "user_events_pipeline",
        default_args={
            "owner": "data-team",
            "retries": 3,
            "retry_delay": timedelta(minutes=5),
            "on_failure_callback": tasks.told,
        },
        schedule="@daily",
        start_date=START,
        tags=["production", "events"],
    ) as dag:
        extract = PythonOperator(
            task_id="extract_events", python_callable=tasks.do, op_kwargs={"date": "{{ ds }}"}
        )
        extract >> PythonOperator(task_id="validate_data", python_callable=tasks.do)
    return dag


@case("""
dag_id: branching
tasks:
  check_data: {operator: branch, python_callable: tests.host.pipeline_tasks.choose}
  process_data: {operator: empty, depends_on: check_data}
  send_empty_alert: {operator: empty, depends_on: check_data}
  join:
    operator: empty
    trigger_rule: none_failed_min_one_success
    depends_on: [process_data, send_empty_alert]
""")
def branching() -> DAG:
    with DAG("branching", schedule=None) as dag:
        branch = BranchPythonOperator(task_id="check_data", python_callable=tasks.choose)
        ways = [EmptyOperator(task_id=name) for name in ("process_data", "send_empty_alert")]
        branch >> ways >> EmptyOperator(task_id="join", trigger_rule="none_failed_min_one_success")
    return dag


@case("""
dag_id: sensors
tasks:
  wait_for_export:
    operator: file_sensor
    filepath: /data/exports/{{ ds }}/users.csv
    poke_interval: 300
    timeout: 3600
    mode: reschedule
  wait_for_ingestion:
    operator: external_task
    external_dag_id: raw_ingestion
    external_task_id: load_complete
    execution_delta: 1h
    timeout: 7200
""")
def sensors() -> DAG:
    with DAG("sensors", schedule=None) as dag:
        FileSensor(
            task_id="wait_for_export",
            filepath="/data/exports/{{ ds }}/users.csv",
            poke_interval=300,
            timeout=3600,
            mode="reschedule",
        )
        ExternalTaskSensor(
            task_id="wait_for_ingestion",
            external_dag_id="raw_ingestion",
            external_task_id="load_complete",
            execution_delta=timedelta(hours=1),
            timeout=7200,
        )
    return dag


@case("""
dag_id: organised
tasks:
  extract: {operator: empty}
  quality_checks:
    depends_on: extract
    doc: Nothing is published before these.
    tasks:
      check_nulls: {operator: empty}
      check_dupes: {operator: empty}
      check_freshness: {operator: empty}
  load: {operator: empty, depends_on: quality_checks}
""")
def task_group() -> DAG:
    with DAG("organised", schedule=None) as dag:
        extract, load = EmptyOperator(task_id="extract"), EmptyOperator(task_id="load")
        with TaskGroup("quality_checks", doc_md="Nothing is published before these.") as checks:
            for name in ("check_nulls", "check_dupes", "check_freshness"):
                EmptyOperator(task_id=name)
        extract >> checks >> load
    return dag


@case("""
dag_id: gated_load
schedule: {assets: [orders]}
tasks:
  load:
    operator: load_task_group
    target: shop.orders
    conn_id: warehouse
    sql: SELECT * FROM raw.orders
    verb: {$new: Merge, keys: [order_id]}
    gates: [{$new: Gate, name: priced, condition: amount >= 0}]
  notify:
    operator: empty
    depends_on: load
    on_failure_callback: tests.host.pipeline_tasks.told
""")
def gated_load() -> DAG:
    from airflow.sdk import Asset

    with DAG("gated_load", schedule=[Asset("orders")]) as dag:
        load = load_task_group(
            "load",
            target="shop.orders",
            conn_id="warehouse",
            sql="SELECT * FROM raw.orders",
            verb=Merge(keys=("order_id",)),
            gates=[Gate(name="priced", condition="amount >= 0")],
        )
        load >> EmptyOperator(task_id="notify", on_failure_callback=tasks.told)
    return dag
