"""The public API as callers write it: mypy and pyright must accept all of this.

`test_typing` runs both over it. Nothing here is run.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, BaseOperator, TaskGroup

from airflow_dataops import (
    AlertNotifier,
    Append,
    AppendOperator,
    ApplyChanges,
    ApplyChangesOperator,
    ConnectionQuery,
    Files,
    Gate,
    History,
    HistoryOperator,
    Increment,
    IncrementOperator,
    LoadPartition,
    LoadPartitionOperator,
    ManifestSource,
    Merge,
    MergeOperator,
    Replace,
    ReplaceOperator,
    TransferOperator,
    dbt_dag,
    dbt_task_group,
    load_dags,
    load_task_group,
    set_sla,
    sla_monitor_dag,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def operators() -> list[BaseOperator]:
    """One name or several; durations as timedeltas or seconds; words or members of enums."""
    return [
        MergeOperator(
            task_id="merge",
            target="shop.orders",
            conn_id="warehouse",
            source="select 1 as id",
            keys="id",
            order_by=["at", "lsn"],
            compare="changed",
            lease=3600,
            wait=timedelta(minutes=1),
            retries=3,
            retry_delay=timedelta(seconds=5),
            pool="small",
            on_failure_callback=AlertNotifier("slack:ops"),
            metric_tags={"tier": "gold"},
        ),
        AppendOperator(task_id="a", target="t", conn_id="w", table="u", keys=("id", "day")),
        ApplyChangesOperator(
            task_id="c", target="t", conn_id="w", table="u", keys="id", sequence="lsn", deletes="d"
        ),
        HistoryOperator(
            task_id="h", target="t", conn_id="w", table="u", keys="id", effective_at="at"
        ),
        IncrementOperator(task_id="i", target="t", conn_id="w", table="u", cursor="at", lag=60),
        LoadPartitionOperator(
            task_id="p", target="t", conn_id="w", table="u", partition={"day": "{{ ds }}"}
        ),
        ReplaceOperator(task_id="r", target="t", conn_id="w", source=Files("/in/*.csv", "csv")),
        TransferOperator(
            task_id="t",
            target="t",
            conn_id="w",
            source=ConnectionQuery("app", "select 1 as id"),
            verb=Merge(keys="id"),
        ),
    ]


def verbs() -> list[Any]:
    """What is written may be wider than what is read."""
    merge = Merge(keys="id", null_keys="match")
    names: tuple[str, ...] = merge.keys
    return [
        names,
        Append(keys=["id"]),
        ApplyChanges(keys="id", sequence="lsn"),
        History(keys="id", effective_at="at"),
        Increment(cursor="at", per="country"),
        LoadPartition(values={"day": "2026-01-31"}, outside="drop"),
        Replace(on_empty="keep"),
        Gate(name="g", condition="id > 0", severity="warn"),
    ]


def factories() -> list[DAG]:
    """Airflow's arguments beside ours."""
    dag: DAG = dbt_dag(
        manifest="m.json",
        conn_id="w",
        select="tag:a",
        exclude=["b", "c"],
        schedule="@daily",
        start_date=START,
        tags=["x"],
        slas="slas.yaml",
    )
    dags: list[DAG] = load_dags(
        "manifests",
        globals(),
        conn_id="w",
        split_by="owner",
        per_project={"shop": {"schedule": None, "threads": 2}},
    )
    load_dags(
        ManifestSource("s3://bucket/manifests", check_every=timedelta(minutes=1)), {}, conn_id="w"
    )
    with dag:
        group: TaskGroup = dbt_task_group(group_id="g", manifest="m", conn_id="w", tooltip="x")
        load_task_group(
            "h",
            target="t",
            conn_id="w",
            verb=Merge(keys="id"),
            source="select 1",
            gates=Gate(name="g", condition="true"),
            load_args={"drift": "add", "lease": 60},
            default_args={"retries": 1},
        )
        set_sla([group, Asset("a")], within=timedelta(hours=1), tags="x")
    sla_monitor_dag(run_for=60, poll_seconds=timedelta(seconds=5), tags=["y"])
    return dags
