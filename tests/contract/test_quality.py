"""Checks of tables on every engine alike, against counts in plain Python."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_dataops import (
    AcceptedRange,
    AcceptedValues,
    DuplicateRate,
    ForeignKey,
    Gate,
    MaxAge,
    Metric,
    NullRate,
    PythonCheck,
    QualityPolicy,
    RowCount,
    SqlCheck,
)
from airflow_dataops.core.health.verdict import Status
from airflow_dataops.core.quality.checks import as_checks
from airflow_dataops.core.quality.run import check_table
from tests.duckdb_runner import open_duckdb
from tests.postgres import open_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.health.verdict import Verdict
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.quality.report import QualityReport
    from tests.warehouses import Warehouse

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
COLUMNS = {"id": "int", "kind": "text", "amount": "float", "at": "zoned"}
KINDS = ["a", "it's", "100%"]


def check(warehouse: Warehouse, *checks: Any, table: str = "t", **policy: Any) -> QualityReport:
    relation = warehouse.relation(table)
    chosen = QualityPolicy(**policy)
    return check_table(relation, as_checks(checks), warehouse.runner, now=NOW, policy=chosen)


def only(report: QualityReport) -> Verdict:
    [found] = report.checks
    return found


class Counted:
    """A runner that counts the scans of a table."""

    def __init__(self, runner: SqlRunner) -> None:
        self.dialect, self.placeholder = runner.dialect, runner.placeholder
        self.runner, self.asked = runner, list[str]()

    def fetch(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        self.asked.append(sql)
        return self.runner.fetch(sql, parameters)


OPENERS = {"duckdb": open_duckdb, "postgres": open_postgres}


@pytest.fixture(scope="module", params=sorted(OPENERS))
def shared(request: pytest.FixtureRequest) -> Iterator[SqlRunner]:
    with OPENERS[request.param]() as runner:
        runner.execute("drop schema if exists quality cascade")
        runner.execute("create schema quality")
        runner.execute("create table quality.p (id integer)")
        runner.execute("insert into quality.p values (1), (2), (3)")
        yield runner
        runner.execute("drop schema quality cascade")


ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(0, 5),
        st.none() | st.sampled_from([*KINDS, "b"]),
        st.none() | st.sampled_from([-1.0, 0.0, 5.0, float("nan"), float("inf")]),
    ),
    min_size=1,
    max_size=12,
)


@given(rows=ROWS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_wrong_rows_are_those_that_python_counts(shared: SqlRunner, rows: list[Any]) -> None:
    """Seven checks, whatever the rows: the same shares, and a sample of none but wrong rows."""
    from airflow_dataops.core.model import Relation

    shared.execute("drop table if exists quality.t")
    shared.execute("create table quality.t (id integer, kind varchar(9), amount double precision)")
    mark = shared.placeholder
    for row in rows:
        shared.execute(f"insert into quality.t values ({mark}, {mark}, {mark})", row)

    def excess(keys: list[Any]) -> int:
        return sum(n - 1 for n in Counter(k for k in keys if k is not None).values())

    pairs = [None if None in (i, k) else (i, k) for i, k, _ in rows]
    finite = [a is not None and a == a and abs(a) != float("inf") for _, _, a in rows]
    expected = {
        NullRate(column="id"): sum(i is None for i, _, _ in rows),
        NullRate(column="amount", name="n", not_finite=True): finite.count(False),
        DuplicateRate(columns="id"): excess([i for i, _, _ in rows]),
        DuplicateRate(columns=("id", "kind")): excess(pairs),
        AcceptedValues(column="kind", values=KINDS): sum(k == "b" for _, k, _ in rows),
        AcceptedRange(column="amount", min=0): sum(
            a is not None and (not ok or a < 0) for (_, _, a), ok in zip(rows, finite, strict=True)
        ),
        ForeignKey(column="id", to="quality.p"): sum(i in (0, 4, 5) for i, _, _ in rows),
        Gate(name="gate", condition="amount >= 0"): sum(a is None or a < 0 for _, _, a in rows),
    }
    report = check_table(
        Relation(identifier="t", schema="quality"), as_checks([*expected]), shared, now=NOW
    )
    assert report.rows == len(rows)
    found = {each.check: each.details["wrong"] for each in report.checks}
    titles = [each.title for each in as_checks([*expected])]
    assert found == dict(zip(titles, expected.values(), strict=True))
    for each, wrong in zip(report.checks, expected.values(), strict=True):
        sample = each.details.get("sample", [])
        assert bool(sample) is (each.status is Status.FAIL)
        if not each.check.startswith("duplicate"):
            assert len(sample) == (min(wrong, 10) if each.status is Status.FAIL else 0)


def test_levels_are_those_of_the_documents(warehouse: Warehouse) -> None:
    """NULL 1 %, duplicates 0.1 %: at the limit a table passes, beyond it fails."""
    warehouse.table("t", COLUMNS, [(n, None if n < 2 else "a", 1.0, NOW) for n in range(200)])
    assert only(check(warehouse, NullRate(column="kind"))).status is Status.PASS
    warehouse.runner.execute(
        f"update {warehouse.sql(warehouse.relation('t'))} set kind = null where id = 7"
    )
    found = only(check(warehouse, NullRate(column="kind")))
    assert (found.status, found.value) == (Status.FAIL, 0.015)
    assert only(check(warehouse, NullRate(column="kind", fail_above=0.02))).status is Status.PASS
    warned = NullRate(column="kind", fail_above=0.02, warn_above=0.01)
    assert only(check(warehouse, warned)).status is Status.WARN
    assert DuplicateRate(columns="id").fail_above == 0.001


def test_one_scan_makes_all_checks_that_sql_allows(warehouse: Warehouse) -> None:
    warehouse.table("t", COLUMNS, [(1, "a", 1.0, NOW - timedelta(hours=1))])
    counted = Counted(warehouse.runner)
    checks = as_checks(
        [
            NullRate(column="id"), NullRate(column="kind"), DuplicateRate(columns="id"),
            AcceptedValues(column="kind", values=KINDS), AcceptedRange(column="amount", min=0),
            Gate(name="g", condition="amount > 0"), RowCount(min=1, max=1),
            MaxAge(column="at", hours=2), Metric(expression="avg(amount)", min=1, max=1),
        ]
    )  # fmt: skip
    report = check_table(warehouse.relation("t"), checks, counted, now=NOW)  # type: ignore[arg-type]
    assert {each.status for each in report.checks} == {Status.PASS}
    assert len(counted.asked) == 2, "the catalogue, and one scan"


def test_an_error_is_told_of_its_check_alone(warehouse: Warehouse) -> None:
    """A column that is not there, SQL that is none, a function that raises."""
    warehouse.table("t", COLUMNS, [(1, "a", 1.0, NOW)])
    checks = (
        NullRate(column="id"), NullRate(column="none"), Metric(expression="avg(none)"),
        SqlCheck(name="sql", sql="select"), RowCount(min=2),
        PythonCheck(name="python", function=lambda table, runner: 1 / 0),
        SqlCheck(name="bounds", sql="select count(*) from {table}", min=1, max=1),
    )  # fmt: skip
    report = check(warehouse, *checks)
    statuses = [each.status for each in report.checks]
    expected = ("PASS", "ERROR", "ERROR", "ERROR", "FAIL", "ERROR", "PASS")
    assert statuses == [Status(each) for each in expected]
    assert report.status is Status.FAIL


@pytest.mark.parametrize("outcome", ["pass", "warn", "fail"])
def test_the_policy_decides_on_what_is_no_value(warehouse: Warehouse, outcome: str) -> None:
    """A table without rows; an aggregate that is NULL; NaN; the infinite."""
    warehouse.table("empty", COLUMNS)
    warehouse.table("t", COLUMNS, [(1, "a", None, NOW)])
    for what in ("nan", "inf"):
        made = warehouse.table(what, COLUMNS, [(1, "a", None, NOW)])
        number = f"cast('{what}' as {warehouse.engine.types['float']})"
        warehouse.runner.execute(f"update {warehouse.sql(made)} set amount = {number} where true")
    expected = Status[outcome.upper()]
    average = Metric(expression="avg(amount)", min=0)
    for table, policy, of in (
        ("empty", "empty", NullRate(column="id")),
        ("empty", "empty", average),
        ("empty", "empty", MaxAge(column="at", hours=1)),
        ("t", "null", average),
        ("nan", "not_finite", average),
        ("inf", "not_finite", average),
    ):
        report = check(warehouse, of, table=table, **{policy: outcome})
        assert only(report).status is expected, (table, of)
    assert only(check(warehouse, RowCount(max=0), table="empty")).status is Status.PASS


def test_samples_hide_what_the_policy_hides(warehouse: Warehouse) -> None:
    columns = {"id": "int", "email": "text", "api_token": "text"}
    warehouse.table("t", columns, [(n, "ada@shop.example", "x") for n in range(12)])
    found = only(check(warehouse, Gate(name="g", condition="id < 0"), masked="email"))
    assert len(found.details["sample"]) == 10
    assert {(r["email"], r["api_token"]) for r in found.details["sample"]} == {("***", "***")}
    found = only(check(warehouse, Gate(name="g", condition="id < 0"), sample_rows=0))
    assert "sample" not in found.details
