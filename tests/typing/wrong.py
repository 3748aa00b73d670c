"""Mistakes of callers: mypy and pyright must find one on each line that is marked with `# !`.

mypy, which is strict here, counts an ignored line without a mistake as an error; pyright runs in
`test_typing`, which lets it ignore nothing.
"""

# fmt: off

from __future__ import annotations

from typing import Any

from airflow_dataops import (
    Increment,
    Merge,
    MergeOperator,
    ReplaceOperator,
    dbt_dag,
    dbt_task_group,
    load_dags,
    load_task_group,
    set_sla,
    sla_monitor_dag,
)


def misspelt() -> None:
    MergeOperator(task_id="m", target="t", conn_id="w", source="select 1", keys="id", retires=3)  # type: ignore  # !
    MergeOperator(task_id="m", target="t", conn_id="w", source="select 1", keys="id", drfit="add")  # type: ignore  # !
    MergeOperator(task_id="m", targt="t", target="t", conn_id="w", table="u", keys="id")  # type: ignore  # !
    MergeOperator(task_id="m", con_id="w", target="t", conn_id="w", table="u", keys="id")  # type: ignore  # !
    ReplaceOperator(task_id="r", target="t", conn_id="w", table="u", poool="x")  # type: ignore  # !
    dbt_dag(manifest="m", conn_id="w", schedul="@daily")  # type: ignore  # !
    dbt_dag(manifest="m", conn_id="w", granularty="dag")  # type: ignore  # !
    load_dags("m", {}, conn_id="w", split_bye="owner")  # type: ignore  # !
    load_dags("m", {}, conn_id="w", per_project={"shop": {"threds": 2}})  # type: ignore  # !
    dbt_task_group(group_id="g", manifest="m", conn_id="w", selct="x")  # type: ignore  # !
    load_task_group("g", target="t", conn_id="w", verb=Merge(keys="id"), table="u", tooltipp="x")  # type: ignore  # !
    set_sla(None, withn="1h")  # type: ignore  # !
    sla_monitor_dag(runfor=60)  # type: ignore  # !
    Merge(key="id")  # type: ignore  # !


def missing() -> None:
    MergeOperator(task_id="m", target="t", conn_id="w", table="u")  # type: ignore  # !
    MergeOperator(target="t", conn_id="w", table="u", keys="id")  # type: ignore  # !
    MergeOperator(task_id="m", conn_id="w", table="u", keys="id")  # type: ignore  # !


def wrong_types(anything: Any) -> None:
    MergeOperator(task_id="m", target="t", conn_id="w", table="u", keys=5)  # type: ignore  # !
    MergeOperator(task_id="m", target="t", conn_id="w", source=5, keys="id")  # type: ignore  # !
    MergeOperator(task_id="m", target="t", conn_id="w", table="u", keys="id", lease="1h")  # type: ignore  # !
    MergeOperator(task_id="m", target="t", conn_id="w", table="u", keys="id", pool=5)  # type: ignore  # !
    MergeOperator(task_id=anything, target="t", conn_id="w", table="u", keys="id", create="yes")  # type: ignore  # !
    Merge(keys=5)  # type: ignore  # !
    Increment(cursor="at", lag="1h")  # type: ignore  # !
    dbt_dag(manifest="m", conn_id="w", threads="2")  # type: ignore  # !
    dbt_dag(manifest="m", conn_id="w", catchup="no")  # type: ignore  # !
