"""The usual chain around a load: wait, stage, check, publish, notify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from airflow.sdk import BaseOperator, TaskGroup

from airflow_dataops.core.arguments import instance, refuse_unknown, spelled_out
from airflow_dataops.operators.loads.stage import GateOperator, StageOperator, SweepOperator
from airflow_dataops.operators.loads.transfer import TransferOperator
from airflow_dataops.operators.quality import QualityOperator
from airflow_dataops.task_groups.arguments import LoadGroupArguments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_dataops.core.loads.gates import Gate
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import Verb
    from airflow_dataops.core.quality.check import Check
    from airflow_dataops.core.quality.policy import QualityPolicy
    from airflow_dataops.operators.loads.base import LoadTaskArguments

    Task = BaseOperator | Callable[[], BaseOperator]


@spelled_out(LoadGroupArguments)
def load_task_group(
    group_id: str,
    *,
    target: str,
    conn_id: str,
    verb: Verb,
    sql: str | None = None,
    table: str | None = None,
    source: Source | str | None = None,
    parameters: Sequence[Any] = (),
    gates: Gate | Sequence[Gate] = (),
    checks: Check | Sequence[Check] = (),
    policy: QualityPolicy | None = None,
    min_rows: int = 0,
    wait_for: Task | Sequence[Task] = (),
    notify: Task | Sequence[Task] = (),
    load_args: LoadTaskArguments | None = None,
    **of_group: Unpack[LoadGroupArguments],
) -> TaskGroup:
    """Return a TaskGroup that publishes rows only after they were checked.

    `stage` keeps the rows in a table beside the target, `check` counts those that do not
    meet the gates, `publish` loads the checked rows by the verb, and `sweep` drops the table
    whatever came of it. The target never shows a row that was not checked, and the rows that
    are published are the very ones that were.

    Args:
        group_id: the group's id.
        target: the table, as for `LoadOperator`.
        conn_id: its warehouse.
        verb: what to do with the rows, such as `Merge(keys=("id",))`.
        sql, table, source, parameters: the rows, as for `LoadOperator`.
        gates: conditions that every row must meet, one or several.
        checks: checks of the staged rows, such as `NullRate`, made in the same scan; their
            verdicts are told of the target.
        policy: what is decided beforehand of empty tables, errors, samples; see `QualityPolicy`.
        min_rows: fewer rows stop the chain as well.
        wait_for: tasks to come first (sensors); a function is called inside the group.
        notify: tasks to come after the rows are published.
        load_args: arguments of `LoadOperator` for `publish`, such as `drift`.
        **of_group: what Airflow's `TaskGroup` takes; `default_args` hold for all tasks.
    """
    refuse_unknown(f"load_task_group {group_id!r}", of_group, LoadGroupArguments.__annotations__)
    options: dict[str, Any] = {"group_id": group_id}
    options.update(of_group)
    where: dict[str, Any] = {"target": target, "conn_id": conn_id}
    rows: dict[str, Any] = {"sql": sql, "table": table, "source": source, "parameters": parameters}
    with TaskGroup(**options) as group:
        before, after = made(wait_for, "wait_for"), made(notify, "notify")
        stage = StageOperator(task_id="stage", **where, **rows)
        staged = f"{{{{ ti.xcom_pull(task_ids={stage.task_id!r})['table'] }}}}"
        check = _check(staged, target, conn_id, gates, checks, policy, min_rows)
        publish = TransferOperator(
            task_id="publish", **where, verb=verb, table=staged, **(load_args or {})
        )
        sweep = SweepOperator(task_id="sweep", **where, staged_by=stage.task_id)
        before >> stage >> check >> publish >> sweep.as_teardown(setups=stage)
        publish >> after
    return group


def _check(
    staged: str,
    target: str,
    conn_id: str,
    gates: Gate | Sequence[Gate],
    checks: Check | Sequence[Check],
    policy: QualityPolicy | None,
    min_rows: int,
) -> BaseOperator:
    if not checks and policy is None:
        return GateOperator(
            task_id="check", table=staged, conn_id=conn_id, gates=gates, min_rows=min_rows
        )
    return QualityOperator(
        task_id="check",
        table=staged,
        subject=target,
        conn_id=conn_id,
        checks=[*several(gates), *several(checks)],
        min_rows=min_rows,
        policy=policy,
    )


def several(given: Any) -> Sequence[Any]:
    """Return one thing or several as several."""
    return given if isinstance(given, list | tuple) else [given]


def made(tasks: Task | Sequence[Task], what: str) -> list[BaseOperator]:
    """Return tasks, made where they are given as functions."""
    given = tasks if isinstance(tasks, list | tuple) else [tasks]
    made = [task() if callable(task) else task for task in given]
    return [instance(BaseOperator, task, what) for task in made]
