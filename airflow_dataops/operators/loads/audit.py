"""What is left of a batch after its audit: nothing, or the batch, where it was rejected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Unpack

from airflow_dataops.core.arguments import duration, text
from airflow_dataops.core.engines.names import parse_relation, written
from airflow_dataops.core.health.verdict import Status
from airflow_dataops.core.loads.beside import sweep_beside
from airflow_dataops.core.loads.rejected import drop_rejected, keep_rejected
from airflow_dataops.operators.loads.stage import run_of
from airflow_dataops.operators.session import SessionOperator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from airflow.sdk import Context

    from airflow_dataops.core.arguments import Duration
    from airflow_dataops.operators.arguments import SessionArguments

_LET_THROUGH = (Status.PASS, Status.WARN)


class AuditSweepOperator(SessionOperator):
    """Drops the tables of a `StageOperator`; keeps the batch that a `QualityOperator` rejected.

    A batch whose checks could not be made is kept as well.

    Args:
        target: the table that was staged for.
        conn_id: its warehouse.
        staged_by, audited_by: the ids of the tasks that staged and checked.
        keep_for: how long a rejected batch is kept beside the target: a timedelta, or seconds.

    Returns:
        The name of the batch that is kept, as SQL, or None.
    """

    template_fields: Sequence[str] = ("target", "conn_id", "script")
    template_fields_renderers: ClassVar[dict[str, str]] = {"script": "sql"}
    overwrite_rtif_after_execution = True

    def __init__(
        self,
        *,
        target: str,
        conn_id: str,
        staged_by: str,
        audited_by: str,
        keep_for: Duration = timedelta(days=7),
        **arguments: Unpack[SessionArguments],
    ) -> None:
        super().__init__(**arguments)
        self.target = text(target, "target")
        self.conn_id = text(conn_id, "conn_id")
        self.staged_by = text(staged_by, "staged_by")
        self.audited_by = text(audited_by, "audited_by")
        self.keep_for = duration(keep_for, "keep_for")
        self.script: str | None = None

    def execute(self, context: Context) -> Any:
        """Keep, and drop."""
        ti: Any = context["ti"]
        report = ti.xcom_pull(task_ids=self.audited_by, key="report")
        staged = ti.xcom_pull(task_ids=self.staged_by)
        now, kept = datetime.now(UTC), None
        with self._recorded() as runner:
            target = parse_relation(self.target, runner.dialect)
            if report and staged and report["status"] not in _LET_THROUGH and self.keep_for:
                batch = parse_relation(staged["table"], runner.dialect)
                kept = keep_rejected(target, batch, now, runner)
            old = drop_rejected(target, now - self.keep_for, runner)
            swept = sweep_beside(target, run_of(context, self.staged_by), runner)
        dropped = ", ".join((*swept, *old)) or "nothing"
        self.log.info("%s: dropped %s", target, dropped)
        if kept is None:
            return None
        self.log.warning("%s: the rejected batch is in %s until %s", target, kept,
                         f"{now + self.keep_for:%Y-%m-%d %H:%M} UTC")  # fmt: skip
        return written(kept)
