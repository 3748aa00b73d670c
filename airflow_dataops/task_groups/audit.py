"""Write, audit, publish: rows show once they were checked, and not before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Unpack

from airflow.sdk import TaskGroup, TriggerRule

from airflow_dataops.core.arguments import refuse_unknown, spelled_out
from airflow_dataops.core.quality.policy import Errored, QualityPolicy
from airflow_dataops.errors import ConfigError
from airflow_dataops.operators.loads.audit import AuditSweepOperator
from airflow_dataops.operators.loads.stage import StageOperator
from airflow_dataops.operators.loads.transfer import TransferOperator
from airflow_dataops.operators.quality import QualityOperator
from airflow_dataops.task_groups.arguments import LoadGroupArguments
from airflow_dataops.task_groups.loads import made, several

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.arguments import Duration
    from airflow_dataops.core.loads.gates import Gate
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import Verb
    from airflow_dataops.core.quality.check import Check
    from airflow_dataops.core.quality.contract import Contract
    from airflow_dataops.operators.loads.base import LoadTaskArguments
    from airflow_dataops.task_groups.loads import Task


@spelled_out(LoadGroupArguments)
def write_audit_publish(
    group_id: str,
    *,
    target: str,
    conn_id: str,
    verb: Verb,
    checks: Check | Gate | Sequence[Check | Gate] = (),
    contract: Contract | None = None,
    sql: str | None = None,
    table: str | None = None,
    source: Source | str | None = None,
    parameters: Sequence[Any] = (),
    min_rows: int = 0,
    policy: QualityPolicy | None = None,
    keep_failed_for: Duration = timedelta(days=7),
    wait_for: Task | Sequence[Task] = (),
    notify: Task | Sequence[Task] = (),
    notify_failed: Task | Sequence[Task] = (),
    load_args: LoadTaskArguments | None = None,
    **of_group: Unpack[LoadGroupArguments],
) -> TaskGroup:
    """Return a TaskGroup that publishes a batch once it passed its audit, in one transaction.

    `write` keeps the rows in a table beside the target, `audit` checks them, `publish` loads
    the very rows that were audited by the verb, and `sweep` drops the table, whatever came of
    it; a batch that failed is kept for inspection.

    Args:
        group_id: the group's id.
        target: the table, as for `LoadOperator`.
        conn_id: its warehouse.
        verb: what to do with the rows, such as `Merge(keys=("id",))`.
        checks: what is audited, one or several; see `QualityOperator`.
        contract: what the rows must keep: their columns and types before they are audited, keys
            and values by checks besides the others.
        sql, table, source, parameters: the rows, as for `LoadOperator`.
        min_rows: fewer rows fail as well.
        policy: see `QualityPolicy`; what errored must not be published, so `retry_then_pass` is
            refused.
        keep_failed_for: how long a failed batch is kept: a timedelta, or seconds; 0: not at all.
        wait_for: tasks to come first (sensors); a function is called inside the group.
        notify: tasks to come after the rows are published.
        notify_failed: tasks to come when they are not.
        load_args: arguments of `LoadOperator` for `publish`, such as `drift`.
        **of_group: what Airflow's `TaskGroup` takes; `default_args` hold for all tasks.
    """
    name = f"write_audit_publish {group_id!r}"
    refuse_unknown(name, of_group, LoadGroupArguments.__annotations__)
    if policy is not None and policy.errored is Errored.RETRY_THEN_PASS:
        raise ConfigError(
            f"{name}: errored='retry_then_pass' would publish rows that nobody audited; choose "
            "retry or fail."
        )
    audited = [*several(checks), *(contract.checks() if contract else ())]
    if not audited and not min_rows:
        raise ConfigError(f"{name}: nothing is audited; give checks, a contract, or min_rows.")
    options: dict[str, Any] = {"group_id": group_id}
    options.update(of_group)
    where: dict[str, Any] = {"target": target, "conn_id": conn_id}
    rows: dict[str, Any] = {"sql": sql, "table": table, "source": source, "parameters": parameters}
    with TaskGroup(**options) as group:
        before, after = made(wait_for, "wait_for"), made(notify, "notify")
        failed = made(notify_failed, "notify_failed")
        write = StageOperator(task_id="write", **where, contract=contract, **rows)
        staged = f"{{{{ ti.xcom_pull(task_ids={write.task_id!r})['table'] }}}}"
        audit = QualityOperator(
            task_id="audit", table=staged, conn_id=conn_id, subject=target, checks=audited,
            min_rows=min_rows, policy=policy,
        )  # fmt: skip
        publish = TransferOperator(
            task_id="publish", **where, verb=verb, table=staged, **(load_args or {})
        )
        sweep = AuditSweepOperator(
            task_id="sweep", **where, staged_by=write.task_id, audited_by=audit.task_id,
            keep_for=keep_failed_for,
        )  # fmt: skip
        before >> write >> audit >> publish >> sweep.as_teardown(setups=write)
        publish >> after
        for task in failed:
            task.trigger_rule = TriggerRule.ONE_FAILED
            # Behind `write`, a setup, Airflow allows no such rule; it fails the audit anyway.
            [audit, publish] >> task
    return group
