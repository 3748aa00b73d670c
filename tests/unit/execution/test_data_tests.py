"""Data tests in what a comparison with dbt does not show; see test_tests_as_dbt.py."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from airflow_dataops.core.execution.results import Status
from airflow_dataops.core.execution.tests import run_test
from airflow_dataops.core.model import Code, Node, NodeKind, Relation, StoreFailures, TestSpec
from airflow_dataops.errors import ConfigError
from tests.duckdb_runner import open_duckdb
from tests.unit.execution.nodes import RELATION, model, node

WRONG = Code(sql="select * from range(3) as t(n) -- all of them")


def data_test(relation: Relation | None = RELATION, **settings: Any) -> Node:
    return node(TestSpec(**settings), relation=relation, kind=NodeKind.TEST)


def test_a_passing_test_says_how_many_rows_it_found() -> None:
    """dbt reports none; the figure shows how near the threshold is."""
    with open_duckdb() as runner:
        result = run_test(data_test(error_if="> 10", warn_if="> 5"), WRONG, runner)
    assert (result.status, result.failures, result.message) == (Status.PASS, 3, "")


@pytest.mark.parametrize("severity", ["error", "warn"])
def test_with_warn_error_a_warning_fails_in_dbts_words(severity: str) -> None:
    """`TestRunner.build_test_run_result` of dbt-core 1.11."""
    settings = {"severity": severity, "error_if": "> 10", "warn_if": "> 0", "relation": None}
    code = Code(sql="select 1 as x")
    with open_duckdb() as runner:
        usual = run_test(data_test(**settings), code, runner)
        strict = run_test(data_test(**settings, warnings_fail=True), code, runner)
    assert (usual.status, usual.message) == ("warn", "Got 1 result, configured to warn if > 0")
    assert (strict.status, strict.message) == ("fail", "Got 1 result, configured to fail if > 0")


def test_a_test_without_a_relation_runs_and_writes_nothing() -> None:
    with open_duckdb() as runner:
        result = run_test(data_test(relation=None), WRONG, runner)
        assert runner.fetch("select * from duckdb_tables()") == []
    assert (result.status, result.stored_in) == (Status.FAIL, None)


def test_kept_failures_follow_the_last_run_and_the_setting() -> None:
    kinds = "select table_type from system.information_schema.tables"
    with open_duckdb() as runner:
        for kept, kind in [
            (StoreFailures.TABLE, "BASE TABLE"),
            (StoreFailures.VIEW, "VIEW"),
            (StoreFailures.TABLE, "BASE TABLE"),
        ]:
            result = run_test(data_test(store_failures=kept), WRONG, runner)
            assert result.stored_in == "memory.marts.orders"
            assert runner.fetch("from marts.orders") == [(0,), (1,), (2,)]
            assert runner.fetch(kinds) == [(kind,)]
        run_test(
            data_test(store_failures=StoreFailures.TABLE),
            Code(sql="select 1 as n where false"),
            runner,
        )
        assert runner.fetch("from marts.orders") == []


def test_a_query_that_breaks_keeps_the_last_runs_failures() -> None:
    stored = data_test(store_failures=StoreFailures.TABLE)
    with open_duckdb() as runner:
        run_test(stored, WRONG, runner)
        with pytest.raises(duckdb.Error):
            run_test(stored, Code(sql="select 'x'::int as n"), runner)
        assert len(runner.fetch("from marts.orders")) == 3


@pytest.mark.parametrize(
    ("broken", "code", "message"),
    [
        (model("table"), WRONG, "is a model, not a data test"),
        (data_test(), Code(), "no compiled code"),
        (data_test(unsupported=("sql_header",)), WRONG, "because of sql_header"),
        (data_test(None, store_failures=StoreFailures.VIEW), WRONG, "gives it no relation"),
        (
            data_test(
                Relation(database="prod", schema="a", identifier="b"),
                store_failures=StoreFailures.TABLE,
            ),
            WRONG,
            "compiled for database 'prod'",
        ),
    ],
)
def test_what_cannot_run_says_why(broken: Node, code: Code, message: str) -> None:
    with open_duckdb() as runner, pytest.raises(ConfigError, match=message):
        run_test(broken, code, runner)
