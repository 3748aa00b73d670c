"""Runs data tests and judges them as dbt does."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines.relations import select_all
from airflow_dataops.core.execution.building import check_database, ensure_schema
from airflow_dataops.core.execution.models import build_table, build_view
from airflow_dataops.core.execution.results import Status, TestResult
from airflow_dataops.core.execution.turns import Turn, in_turn
from airflow_dataops.core.model import Relation, Severity, StoreFailures, TestSpec
from airflow_dataops.core.sql import catalog
from airflow_dataops.core.sql.checks import failing_rows, verdict
from airflow_dataops.core.sql.makings import making_of
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from airflow_dataops.core.model import Code, Node
    from airflow_dataops.core.ports import SqlRunner


def run_test(node: Node, code: Code, runner: SqlRunner, *, turn: Turn | None = None) -> TestResult:
    """Run one data test.

    With severity `error`, `error_if` decides over fail and then `warn_if` over warn; with
    severity `warn` only `warn_if` decides. Failing rows that are to be kept go to the test's
    own relation, which takes the place of the last run's in one transaction, and are judged
    from there.

    Args:
        node: a node with a `TestSpec`.
        code: its compiled SQL, which returns the rows that are wrong.
        runner: an open session.
        turn: who runs it, where failing rows are kept.

    Raises:
        ConfigError: the node is no data test, or its code or connection cannot be used.
        RunError: `fail_calc` did not give one whole number.
    """
    spec, sql = _data_test(node, code)
    rows = failing_rows(sql, spec.limit)
    stored = None
    if spec.store_failures is not StoreFailures.NO:
        stored = _store(node, rows, spec.store_failures, runner, turn or Turn())
        rows = select_all(stored, runner.dialect)
    answers = runner.fetch(verdict(rows, spec))
    failures, warn, error = _one_row(node, spec, answers)
    status, message = _judge(spec, failures, warn=warn, error=error)
    return TestResult(
        node=node.id,
        status=status,
        failures=failures,
        message=message,
        stored_in=str(stored) if stored else None,
    )


def _data_test(node: Node, code: Code) -> tuple[TestSpec, str]:
    if not isinstance(node.spec, TestSpec):
        raise ConfigError(f"{node.id} is a {node.kind}, not a data test.")
    if node.spec.unsupported:
        raise ConfigError(
            f"{node.id}: engine sql cannot run it faithfully, because of "
            f"{', '.join(node.spec.unsupported)}. Let engine dbt run it."
        )
    if code.sql is None:
        raise ConfigError(
            f"{node.id}: the manifest has no compiled code. "
            "Write it with `airflow-dataops compile`, or let engine dbt run the test."
        )
    return node.spec, code.sql


def _store(node: Node, rows: str, kind: StoreFailures, runner: SqlRunner, turn: Turn) -> Relation:
    relation = node.relation
    if relation is None:
        raise ConfigError(
            f"{node.id} stores its failures, but the manifest gives it no relation; "
            "compile the project again."
        )
    check_database(node, relation, runner)
    ensure_schema(relation, runner)
    with in_turn(relation, runner, turn):
        existing = catalog.relation_kind(runner, relation)
        if kind is StoreFailures.TABLE:
            build_table(relation, rows, existing, runner, making_of(node, runner.dialect))
        else:
            build_view(relation, rows, existing, runner)
    return relation


def _one_row(node: Node, spec: TestSpec, answers: list[tuple[Any, ...]]) -> tuple[int, bool, bool]:
    if len(answers) != 1:
        raise RunError(
            f"{node.id}: fail_calc {spec.fail_calc!r} gave {len(answers)} rows instead of one; "
            "make it an aggregate, such as count(*)."
        )
    failures, warn, error = answers[0]
    if isinstance(failures, Decimal | float) and failures % 1 == 0:
        failures = int(failures)
    if not isinstance(failures, int) or isinstance(failures, bool):
        raise RunError(
            f"{node.id}: fail_calc {spec.fail_calc!r} gave {failures!r} instead of a whole number; "
            "an aggregate over no rows may be NULL: write coalesce(..., 0)."
        )
    return failures, bool(warn), bool(error)


def _judge(spec: TestSpec, failures: int, *, warn: bool, error: bool) -> tuple[Status, str]:
    got = f"Got {failures} result{'' if failures == 1 else 's'}"
    if spec.severity is Severity.ERROR and error:
        return Status.FAIL, f"{got}, configured to fail if {spec.error_if}"
    if warn and spec.warnings_fail:
        return Status.FAIL, f"{got}, configured to fail if {spec.warn_if}"
    if warn:
        return Status.WARN, f"{got}, configured to warn if {spec.warn_if}"
    return Status.PASS, ""
