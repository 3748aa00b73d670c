"""Follows one branch or another by the checks of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from airflow.providers.standard.operators.branch import BranchMixIn

from airflow_dataops.core.arguments import names, optional_names
from airflow_dataops.core.health.verdict import Status
from airflow_dataops.operators.quality import QualityOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dataops.core.arguments import Names
    from airflow_dataops.core.quality.report import QualityReport
    from airflow_dataops.operators.quality import QualityArguments


class QualityBranchOperator(QualityOperator, BranchMixIn):
    """Checks a table, such as its number of rows, and follows the branch of the outcome.

    What failed fails no task here: it is a branch. What errored follows the policy as in
    `QualityOperator`, and no branch.

    Args:
        passed: ids of the tasks or groups to go on with where no check failed; one or several.
        failed: those where one did.
        warned: those where one warned and none failed; by default `passed`.
        **arguments: those of `QualityOperator`.
    """

    inherits_from_skipmixin = True

    def __init__(
        self,
        *,
        passed: Names,
        failed: Names,
        warned: Names | None = None,
        **arguments: Unpack[QualityArguments],
    ) -> None:
        super().__init__(**arguments)
        self.passed = names(passed, "passed")
        self.failed = names(failed, "failed")
        self.warned = optional_names(warned, "warned")

    def execute(self, context: Context) -> Any:
        """Check the table, and skip the other branches."""
        report, _ = self._checked(context)
        return self.do_branch(context, list(self._branch(report.status)))

    def _refuse(self, report: QualityReport) -> None:
        """Let a failed check through: its branch is followed."""

    def _branch(self, status: Status) -> tuple[str, ...]:
        if status is Status.FAIL:
            return self.failed
        return self.warned if status is Status.WARN and self.warned else self.passed
