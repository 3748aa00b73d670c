"""Gates: conditions that every staged row must meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from airflow_dataops.core.loads.gates import Gate, check_gates
from airflow_dataops.core.model import Relation, Severity
from airflow_dataops.errors import RunError
from tests.duckdb_runner import open_duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.duckdb_runner import DuckDBRunner

ORDERS = Relation(schema="main", identifier="orders")


@pytest.fixture
def runner() -> Iterator[DuckDBRunner]:
    with open_duckdb() as opened:
        opened.execute("create table orders (id integer, amount integer)")
        yield opened


def test_rows_that_meet_all_conditions_pass(runner: DuckDBRunner) -> None:
    runner.execute("insert into orders values (1, 10), (2, 0)")
    found = check_gates(ORDERS, [Gate(name="paid", condition="amount >= 0")], runner)
    assert (found.rows, [result.wrong for result in found.results]) == (2, [0])


def test_null_is_not_true(runner: DuckDBRunner) -> None:
    runner.execute("insert into orders values (1, null)")
    with pytest.raises(RunError, match="paid: 1 rows wrong"):
        check_gates(ORDERS, [Gate(name="paid", condition="amount >= 0")], runner)


def test_all_failures_are_named_at_once(runner: DuckDBRunner) -> None:
    runner.execute("insert into orders values (1, -1), (null, -2), (3, 5)")
    gates = [
        Gate(name="paid", condition="amount >= 0 -- no refunds"),
        Gate(name="keyed", condition="id is not null"),
    ]
    with pytest.raises(RunError) as caught:
        check_gates(ORDERS, gates, runner, min_rows=4)
    assert "paid: 2 rows wrong" in str(caught.value)
    assert "keyed: 1 rows wrong" in str(caught.value)
    assert "3 rows, at least 4 expected" in str(caught.value)


def test_an_empty_table_meets_every_condition(runner: DuckDBRunner) -> None:
    """Number 22 of the conformance list: an empty table is no error of the check."""
    found = check_gates(ORDERS, [Gate(name="paid", condition="amount >= 0")], runner)
    assert (found.rows, found.results[0].wrong) == (0, 0)


def test_some_may_be_wrong_and_warnings_do_not_stop(runner: DuckDBRunner) -> None:
    runner.execute("insert into orders values (1, -1), (2, 5)")
    gates = [
        Gate(name="few", condition="amount >= 0", at_most=1),
        Gate(name="big", condition="amount > 100", severity=Severity.WARN),
    ]
    found = check_gates(ORDERS, gates, runner)
    assert [str(each.gate.name) for each in found.failures(Severity.WARN)] == ["big"]


def test_a_check_that_cannot_be_made_has_not_failed(runner: DuckDBRunner) -> None:
    """Number 22: the engine's own error comes, not a verdict."""
    with pytest.raises(duckdb.BinderException):
        check_gates(ORDERS, [Gate(name="typo", condition="amuont >= 0")], runner)


def test_a_condition_stays_inside_its_parentheses(runner: DuckDBRunner) -> None:
    """A bare `or` or `and` of one condition does not reach into the next."""
    runner.execute("insert into orders values (1, -1)")
    gates = [Gate(name="a", condition="id = 1 or id = 2"), Gate(name="b", condition="amount = -1")]
    assert all(result.passed for result in check_gates(ORDERS, gates, runner).results)
