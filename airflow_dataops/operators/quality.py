"""Checks the quality of a table; what failed stops what comes after, what errored is retried."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Required, Unpack

from airflow.sdk.exceptions import AirflowFailException

from airflow_dataops.core.arguments import instance, optional_text, text
from airflow_dataops.core.engines.names import parse_relation
from airflow_dataops.core.health.verdict import Status
from airflow_dataops.core.quality.checks import as_checks
from airflow_dataops.core.quality.history import RowCountHistory
from airflow_dataops.core.quality.policy import Errored, QualityPolicy
from airflow_dataops.core.quality.run import check_table, not_made
from airflow_dataops.errors import ConfigError, RetryableError, RunError
from airflow_dataops.operators.arguments import SessionArguments
from airflow_dataops.operators.node import plain
from airflow_dataops.operators.quality_ledger import keep, past_of
from airflow_dataops.operators.session import SessionOperator
from airflow_dataops.operators.told import told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from airflow.sdk import Context

    from airflow_dataops.core.loads.gates import Gate
    from airflow_dataops.core.quality.check import Check
    from airflow_dataops.core.quality.report import QualityReport


class QualityArguments(SessionArguments, total=False):
    """What an operator takes that checks a table; see `QualityOperator`."""

    table: Required[str]
    conn_id: Required[str]
    checks: Check | Gate | Sequence[Check | Gate]
    min_rows: int
    policy: QualityPolicy | None
    subject: str | None


class QualityOperator(SessionOperator):
    """Checks a table: as many checks as SQL allows in one scan.

    Each check passes, warns, fails, or errors where it could not be made. The verdicts are in
    the log, in the ledger, and in the XCom `report`, also where the task fails.

    Args:
        table: the table.
        conn_id: its warehouse.
        checks: what is checked: `NullRate`, `DuplicateRate`, `Gate` and others; one or several.
        min_rows: fewer rows fail.
        policy: what is decided beforehand of empty tables, NULL and NaN, errors, and which rows
            are shown.
        subject: the name by which the verdicts are kept; by default the table's.

    Returns:
        `{"subject", "rows", "status", "checks"}`; the checks as `pipeline-health-monitor` tells
        them, the wrong rows that are shown in `details.sample`.

    Raises:
        RunError: a check failed, or can never be made; Airflow does not retry it.
        RetryableError: no check failed, but some could not be made.
    """

    template_fields: Sequence[str] = ("table", "subject", "conn_id", "script")
    template_fields_renderers: ClassVar[dict[str, str]] = {"script": "sql"}
    overwrite_rtif_after_execution = True
    ui_color = "#fff3c4"

    def __init__(
        self,
        *,
        table: str,
        conn_id: str,
        checks: Check | Gate | Sequence[Check | Gate] = (),
        min_rows: int = 0,
        policy: QualityPolicy | None = None,
        subject: str | None = None,
        **arguments: Unpack[SessionArguments],
    ) -> None:
        super().__init__(**arguments)
        self.table = text(table, "table")
        self.conn_id = text(conn_id, "conn_id")
        self.checks = as_checks(checks, min_rows)
        self.policy = (
            QualityPolicy() if policy is None else instance(QualityPolicy, policy, "policy")
        )
        self.subject = optional_text(subject, "subject")
        self.script: str | None = None

    def _subject(self) -> str:
        return self.subject or self.table

    def execute(self, context: Context) -> Any:
        """Check the table."""
        return self._checked(context)[1]

    def _checked(self, context: Context) -> tuple[QualityReport, dict[str, Any]]:
        """Return the report, once it is kept and lets the task go on, and as plain data."""
        now = datetime.now(UTC)
        report = self._report(context, now)
        told_of = plain(report) | {"status": str(report.status)}
        keep(report, context, now)
        context["ti"].xcom_push(key="report", value=told_of)
        self._say(report)
        with told(self.conn_id):
            self._conclude(report, context)
        return report, told_of

    def _report(self, context: Context, now: datetime) -> QualityReport:
        remembering = [each for each in self.checks if isinstance(each, RowCountHistory)]
        try:
            past = past_of(self._subject(), remembering, context)
            with self._recorded() as runner:
                return check_table(
                    parse_relation(self.table, runner.dialect),
                    self.checks,
                    runner,
                    now=now,
                    policy=self.policy,
                    subject=self._subject(),
                    past=past,
                )
        except AirflowFailException as error:
            return not_made(self._subject(), self.checks, ConfigError(str(error)))
        except Exception as error:  # noqa: BLE001 - whatever it is, no check was made
            return not_made(self._subject(), self.checks, error)

    def _say(self, report: QualityReport) -> None:
        for status in (Status.FAIL, Status.ERROR, Status.WARN):
            if verdicts := report.told(status):
                self.log.warning("%s: %s: %s", report.subject, status, verdicts)
        passed = len(report.of(Status.PASS))
        self.log.info("%s: %d of %d checks passed", report.subject, passed, len(report.checks))

    def _conclude(self, report: QualityReport, context: Context) -> None:
        if report.of(Status.FAIL):
            self._refuse(report)
            return
        if not report.of(Status.ERROR):
            return
        problem = f"{report.subject}: not all checks could be made. {report.told(Status.ERROR)}"
        if self.policy.errored is Errored.FAIL or not report.may_help:
            raise RunError(problem)
        ti: Any = context["ti"]
        if self.policy.errored is Errored.RETRY or ti.try_number <= ti.max_tries:
            raise RetryableError(problem)
        self.log.warning("%s Its policy lets it through with the last try.", problem)

    def _refuse(self, report: QualityReport) -> None:
        where = f"{report.subject} with {report.rows} rows"
        raise RunError(f"{where} is not let through. {report.told(Status.FAIL)}")
