"""Pipelines in the style of dag-factory's published examples: in YAML, and by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import PythonOperator, ShortCircuitOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import (
    DAG,
    Asset,
    AssetAll,
    AssetAny,
    AssetOrTimeSchedule,
    CronPartitionTimetable,
    CronTriggerTimetable,
    Param,
    PartitionedAssetTimetable,
    StartOfDayMapper,
    TaskGroup,
    chain,
    task,
)

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
dag_id: basic_example_dag
default_args: {owner: custom_owner, start_date: 2024-01-01}
description: this is an example dag
schedule: "0 3 * * *"
tasks:
  task_1: {operator: bash, bash_command: echo 1}
  task_2: {operator: bash, bash_command: echo 2, depends_on: [task_1]}
  task_3: {operator: bash, bash_command: echo 3, depends_on: [task_1]}
""")
def basic_example_dag() -> DAG:
    with DAG(
        "basic_example_dag",
        default_args={"owner": "custom_owner", "start_date": START},
        description="this is an example dag",
        schedule="0 3 * * *",
    ) as dag:
        one, two, three = (
            BashOperator(task_id=f"task_{n}", bash_command=f"echo {n}") for n in (1, 2, 3)
        )
        one >> [two, three]
    return dag


@case("""
dag_id: example_task_group
tasks:
  task_1: {operator: bash, bash_command: echo 1}
  task_group_1:
    tooltip: this is a task group
    depends_on: task_1
    tasks:
      task_2: {operator: bash, bash_command: echo 2}
      task_3: {operator: bash, bash_command: echo 3, depends_on: task_2}
  task_group_2:
    depends_on: task_group_1
    tasks:
      inner: {tasks: {task_5: {operator: empty}}}
      task_4: {operator: empty, depends_on: inner}
""")
def nested_groups() -> DAG:
    with DAG("example_task_group", schedule=None) as dag:
        one = BashOperator(task_id="task_1", bash_command="echo 1")
        with TaskGroup("task_group_1", tooltip="this is a task group") as first:
            two = BashOperator(task_id="task_2", bash_command="echo 2")
            two >> BashOperator(task_id="task_3", bash_command="echo 3")
        with TaskGroup("task_group_2") as second:
            with TaskGroup("inner") as inner:
                EmptyOperator(task_id="task_5")
            inner >> EmptyOperator(task_id="task_4")
        one >> first >> second
    return dag


@case("""
dag_id: example_dynamic_task_mapping
tasks:
  request: {operator: tests.host.pipeline_tasks.extract, source: crm}
  process:
    operator: python
    python_callable: tests.host.pipeline_tasks.do
    partial: {op_kwargs: {test_id: test}}
    expand: {op_args: {$output: request}}
""")
def dynamic_task_mapping() -> DAG:
    with DAG("example_dynamic_task_mapping", schedule=None) as dag:
        requested = tasks.extract.override(task_id="request")(source="crm")
        PythonOperator.partial(
            task_id="process", python_callable=tasks.do, op_kwargs={"test_id": "test"}
        ).expand(op_args=requested)
    return dag


@case("""
dag_id: example_taskflow
tasks:
  one: {operator: tests.host.pipeline_tasks.add, x: 1, y: 2}
  two: {operator: tests.host.pipeline_tasks.add, x: {$output: one}, retries: 5}
  each: {operator: tests.host.pipeline_tasks.add, y: 3, expand: {x: [1, 2]}}
""")
def taskflow() -> DAG:
    with DAG("example_taskflow", schedule=None) as dag:
        one = tasks.add.override(task_id="one")(x=1, y=2)
        tasks.add.override(task_id="two", retries=5)(x=one)
        tasks.add.override(task_id="each").partial(y=3).expand(x=[1, 2])
    return dag


@case("""
dag_id: plain_function
tasks:
  run: {operator: tests.host.pipeline_tasks.do, arguments: {x: 1}, pool: small}
""")
def plain_function() -> DAG:
    with DAG("plain_function", schedule=None) as dag:
        task(tasks.do).override(task_id="run", pool="small")(x=1)
    return dag


@case("""
dag_id: example_params
params:
  model_id: {type: string, default: m1, title: Model, maxLength: 20}
  days: 3
tasks:
  run: {operator: bash, bash_command: "echo {{ params.model_id }}"}
""")
def params() -> DAG:
    with DAG(
        "example_params",
        schedule=None,
        params={"model_id": Param("m1", type="string", title="Model", maxLength=20), "days": 3},
    ) as dag:
        BashOperator(task_id="run", bash_command="echo {{ params.model_id }}")
    return dag


@case("""
dag_id: consumer_simple
schedule: {assets: ["s3://bucket/a", "s3://bucket/b"]}
tasks:
  run: {operator: empty, inlets: ["s3://bucket/a"], outlets: [done, {$asset: {name: c, group: g}}]}
""")
def assets_all() -> DAG:
    a, b = Asset(uri="s3://bucket/a"), Asset(uri="s3://bucket/b")
    with DAG("consumer_simple", schedule=AssetAll(a, b)) as dag:
        EmptyOperator(
            task_id="run",
            inlets=[Asset(uri="s3://bucket/a")],
            outlets=[Asset("done"), Asset(name="c", group="g")],
        )
    return dag


@case("""
dag_id: consumer_condition
schedule: {assets: {any: [{all: [a, b]}, c]}}
tasks: {run: {operator: empty}}
""")
def assets_condition() -> DAG:
    schedule = AssetAny(AssetAll(Asset("a"), Asset("b")), Asset("c"))
    with DAG("consumer_condition", schedule=schedule) as dag:
        EmptyOperator(task_id="run")
    return dag


@case("""
dag_id: asset_or_time
timezone: Europe/Berlin
schedule: {assets: a, cron: "0 6 * * *"}
tasks: {run: {operator: empty}}
""")
def asset_or_time() -> DAG:
    import pendulum

    schedule = AssetOrTimeSchedule(
        assets=Asset("a"), timetable=CronTriggerTimetable("0 6 * * *", timezone="Europe/Berlin")
    )
    with DAG("asset_or_time", schedule=schedule) as dag:
        EmptyOperator(task_id="run")
    dag.timezone = pendulum.timezone("Europe/Berlin")
    return dag


@case("""
dag_id: example_timetable
schedule:
  timetable: airflow.sdk.MultipleCronTriggerTimetable
  arguments: ["0 3 * * *", "0 15 * * *"]
  timezone: UTC
tasks: {run: {operator: empty}}
""")
def timetable() -> DAG:
    from airflow.sdk import MultipleCronTriggerTimetable

    schedule = MultipleCronTriggerTimetable("0 3 * * *", "0 15 * * *", timezone="UTC")
    with DAG("example_timetable", schedule=schedule) as dag:
        EmptyOperator(task_id="run")
    return dag


@case("""
dag_id: every_six_hours
schedule: {every: 6h}
tasks: {run: {operator: empty}}
""")
def every() -> DAG:
    with DAG("every_six_hours", schedule=timedelta(hours=6)) as dag:
        EmptyOperator(task_id="run")
    return dag


@case("""
dag_id: partitions_by_time
schedule: {cron: "0 0 * * *", partitions: true}
tasks: {run: {operator: empty}}
""")
def partitions_by_time() -> DAG:
    with DAG(
        "partitions_by_time", schedule=CronPartitionTimetable("0 0 * * *", timezone="UTC")
    ) as dag:
        EmptyOperator(task_id="run")
    return dag


@case("""
dag_id: partitions_of_assets
schedule: {assets: [orders], partitions: day}
tasks: {run: {operator: empty}}
""")
def partitions_of_assets() -> DAG:
    schedule = PartitionedAssetTimetable(
        assets=AssetAll(Asset("orders")), default_partition_mapper=StartOfDayMapper()
    )
    with DAG("partitions_of_assets", schedule=schedule) as dag:
        EmptyOperator(task_id="run")
    return dag


@case("""
dag_id: example_callbacks
on_failure_callback: tests.host.pipeline_tasks.told
default_args: {on_retry_callback: [tests.host.pipeline_tasks.told]}
dagrun_timeout: 2h
tasks:
  run: {operator: empty, on_success_callback: tests.host.pipeline_tasks.told}
""")
def callbacks() -> DAG:
    with DAG(
        "example_callbacks",
        schedule=None,
        on_failure_callback=tasks.told,
        default_args={"on_retry_callback": [tasks.told]},
        dagrun_timeout=timedelta(hours=2),
    ) as dag:
        EmptyOperator(task_id="run", on_success_callback=tasks.told)
    return dag


@case("""
dag_id: setup_teardown
tasks:
  create: {operator: bash, bash_command: create, setup: true}
  work: {operator: bash, bash_command: work, depends_on: create}
  drop:
    operator: bash
    bash_command: drop
    depends_on: work
    teardown: [create]
    on_failure_fail_dagrun: true
""")
def setup_teardown() -> DAG:
    with DAG("setup_teardown", schedule=None) as dag:
        create, work, drop = (
            BashOperator(task_id=name, bash_command=name) for name in ("create", "work", "drop")
        )
        drop.as_teardown(setups=create, on_failure_fail_dagrun=True)
        create >> work >> drop
    return dag


@case("""
dag_id: trigger_rules
tasks:
  a: {operator: short_circuit, python_callable: tests.host.pipeline_tasks.do}
  b: {operator: empty, depends_on: a}
  c: {operator: empty, depends_on: [a, b], trigger_rule: all_done, priority_weight: 5, queue: q}
""")
def trigger_rules() -> DAG:
    with DAG("trigger_rules", schedule=None) as dag:
        a = ShortCircuitOperator(task_id="a", python_callable=tasks.do)
        b = EmptyOperator(task_id="b")
        c = EmptyOperator(task_id="c", trigger_rule="all_done", priority_weight=5, queue="q")
        a >> b >> c
        a >> c
    return dag


@case("""
dag_id: branch_taskflow
tasks:
  pick: {operator: tests.host.pipeline_tasks.pick, way: left}
  left: {operator: empty, depends_on: pick}
  right: {operator: empty, depends_on: pick}
""")
def branch_taskflow() -> DAG:
    with DAG("branch_taskflow", schedule=None) as dag:
        picked = tasks.pick.override(task_id="pick")(way="left")
        picked >> [EmptyOperator(task_id="left"), EmptyOperator(task_id="right")]
    return dag


@case("""
dag_id: expand_kwargs
tasks:
  many:
    operator: bash
    map_index_template: "{{ task.bash_command }}"
    expand_kwargs: [{bash_command: one, cwd: /a}, {bash_command: two, cwd: /b}]
""")
def expand_kwargs() -> DAG:
    with DAG("expand_kwargs", schedule=None) as dag:
        BashOperator.partial(
            task_id="many", map_index_template="{{ task.bash_command }}"
        ).expand_kwargs(
            [{"bash_command": "one", "cwd": "/a"}, {"bash_command": "two", "cwd": "/b"}]
        )
    return dag


@case("""
parameters: {region: , schedule: {default: "@daily"}, tables: {default: [a]}}
for_each:
  - {region: eu}
  - {region: us, schedule: "@hourly", tables: [a, b]}
dag_id: sync_${{ region }}
schedule: ${{ schedule }}
tags: [sync, "${{ region }}"]
tasks:
  sync_${{ region }}:
    operator: bash
    expand: {bash_command: "${{ tables }}"}
  done: {operator: empty, depends_on: "sync_${{ region }}"}
""")
def family() -> list[DAG]:
    dags = []
    for region, schedule, tables in (("eu", "@daily", ["a"]), ("us", "@hourly", ["a", "b"])):
        with DAG(f"sync_{region}", schedule=schedule, tags=["sync", region]) as dag:
            sync = BashOperator.partial(task_id=f"sync_{region}").expand(bash_command=tables)
            sync >> EmptyOperator(task_id="done")
        dags.append(dag)
    return dags


@case("""
dag_id: sql_and_trigger
doc: "# What it does"
display_name: SQL and trigger
fail_fast: true
max_active_tasks: 4
tasks:
  query: {operator: sql, conn_id: w, sql: "SELECT {{ ds }}", parameters: {n: 1}}
  trigger:
    operator: airflow.providers.standard.operators.trigger_dagrun.TriggerDagRunOperator
    trigger_dag_id: other
    conf: {rows: "{{ ti.xcom_pull('query') }}"}
    depends_on: query
""")
def sql_and_trigger() -> DAG:
    with DAG(
        "sql_and_trigger",
        schedule=None,
        doc_md="# What it does",
        dag_display_name="SQL and trigger",
        fail_fast=True,
        max_active_tasks=4,
    ) as dag:
        chain(
            SQLExecuteQueryOperator(
                task_id="query", conn_id="w", sql="SELECT {{ ds }}", parameters={"n": 1}
            ),
            TriggerDagRunOperator(
                task_id="trigger",
                trigger_dag_id="other",
                conf={"rows": "{{ ti.xcom_pull('query') }}"},
            ),
        )
    return dag
