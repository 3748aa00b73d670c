"""Run data tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from airflow_dataops.core.deprecation import renamed
from airflow_dataops.core.plan import TaskKind
from airflow_dataops.operators.attempts import turn_of
from airflow_dataops.operators.node import NodeOperator, plain
from airflow_dataops.operators.warned import tell_warned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_dataops.adapters.manifest_store import StoredManifest
    from airflow_dataops.core.execution.requests import RunRequest
    from airflow_dataops.core.execution.results import TestResult
    from airflow_dataops.core.execution.turns import Turn
    from airflow_dataops.core.ports import SqlRunner


class DbtTestOperator(NodeOperator):
    """Runs data tests in one session and judges them as dbt does.

    All tests run, then the task fails if any of them did; a warning only speaks.

    Returns:
        `{"tests": [{"node", "status": pass | warn | fail | error, "failures", "message"}, ...]}`;
            `error` is a test that could not be run.
            When the task fails, the same is in the XCom of key `verdicts`; it is not retried,
        as the same data would fail again.
    """

    __test__ = False
    ui_color = "#e2f3e2"
    task_kind = TaskKind.TEST

    def execute(self, context: Context) -> Any:
        """Run the tests."""
        request = self._request(context)
        nodes = self._taking_part(TaskKind.TEST, request, context)
        if not nodes:
            return {"tests": []}
        if request.dry_run:
            return self._show(TaskKind.TEST, nodes, request)
        manifest = self._open()
        turn = turn_of(context)
        results = self._run(lambda runner: self._judge(manifest, nodes, runner, request, turn))
        verdicts = {"tests": [plain(result) for result in results]}
        self._tell(verdicts["tests"])
        tell_warned(self.on_warning_callback, context, verdicts["tests"])
        if any(result.status in ("fail", "error") for result in results):
            context["ti"].xcom_push(key="verdicts", value=verdicts)
            raise AirflowFailException(_summary(results))
        return verdicts

    def _judge(
        self,
        manifest: StoredManifest,
        nodes: Sequence[str],
        runner: SqlRunner,
        request: RunRequest,
        turn: Turn,
    ) -> list[TestResult]:
        from airflow_dataops.core.execution.parts import run_node

        results = []
        for id_ in nodes:
            node, code = self._found(manifest, id_).at(runner)
            result: Any = run_node(TaskKind.TEST, node, code, runner, request, turn)
            self.log.info("%s %s %s", result.status.upper(), id_, result.message)
            results.append(result)
        return results


def _summary(results: Sequence[TestResult]) -> str:
    failed = [result for result in results if result.status == "fail"]
    broken = [result for result in results if result.status == "error"]
    told = [f"{len(failed)} of {len(results)} tests failed"] if failed else []
    told += [f"{len(broken)} of {len(results)} tests could not be run"] if broken else []
    names = "".join(f"\n  - {result.node}: {result.message}" for result in failed)
    # Its message begins with its name.
    names += "".join(f"\n  - {result.message}" for result in broken)
    return f"{', '.join(told)}:{names}"


__getattr__ = renamed(__name__, {"TestOperator": "DbtTestOperator"})
