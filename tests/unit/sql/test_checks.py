"""The text of data tests; their verdicts are compared with dbt's in tests/unit/execution."""

from __future__ import annotations

from airflow_dataops.core.engines.relations import select_all
from airflow_dataops.core.model import Relation, TestSpec
from airflow_dataops.core.sql.checks import failing_rows, verdict


def test_verdict_puts_the_thresholds_behind_the_calculation() -> None:
    spec = TestSpec(fail_calc="sum(n)", warn_if="> 1", error_if=">= 10")
    assert verdict("select 1 as n -- why", spec) == (
        "select\n"
        "  sum(n) as failures,\n"
        "  sum(n) > 1 as should_warn,\n"
        "  sum(n) >= 10 as should_error\n"
        "from (\nselect 1 as n -- why\n) as dbt_internal_test"
    )


def test_a_limit_goes_behind_the_query_on_its_own_line() -> None:
    assert failing_rows("select 1 -- why", 5) == "select 1 -- why\nlimit 5"
    assert failing_rows("select 1", None) == "select 1"


def test_kept_rows_are_read_by_a_quoted_name() -> None:
    relation = Relation(database="d", schema='s"', identifier="a.b")
    assert select_all(relation, "duckdb") == 'select * from "d"."s"""."a.b"'
