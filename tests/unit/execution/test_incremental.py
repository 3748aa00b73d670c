"""Incremental models: which code runs when, and what is said when columns do not fit.

What each strategy leaves in the table is compared with dbt in tests/contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.execution.models import build_model
from airflow_dataops.core.execution.results import Action
from airflow_dataops.core.model import SchemaChange
from airflow_dataops.errors import ConfigError, RunError
from tests.duckdb_runner import DuckDBRunner, open_duckdb
from tests.unit.execution.nodes import code, incremental, model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.model import Node

FIRST = "select * from (values (1, 'a'), (2, 'b')) as v(id, name)"
LATER = "select * from (values (2, 'B'), (3, 'C')) as v(id, name)"
BOTH = code(FIRST, LATER)


@pytest.fixture
def runner() -> Iterator[DuckDBRunner]:
    with open_duckdb() as runner:
        yield runner


def build_twice(runner: DuckDBRunner, built: Node, increment: str = LATER) -> int | None:
    build_model(built, code(FIRST, increment), runner)
    result = build_model(built, code(FIRST, increment), runner)
    assert result.action is Action.UPDATED
    return result.rows


def table(runner: DuckDBRunner) -> list[tuple[object, ...]]:
    return runner.fetch("from marts.orders order by all")


def test_the_first_build_is_a_table_and_later_ones_add(runner: DuckDBRunner) -> None:
    assert build_model(incremental(), BOTH, runner).action is Action.CREATED
    assert table(runner) == [(1, "a"), (2, "b")]
    result = build_model(incremental(), BOTH, runner)
    assert (result.action, result.rows) == (Action.UPDATED, 2)
    assert table(runner) == [(1, "a"), (2, "B"), (2, "b"), (3, "C")]


def test_a_view_in_its_place_makes_it_a_first_build(runner: DuckDBRunner) -> None:
    build_model(model("view"), BOTH, runner)
    assert build_model(incremental(), BOTH, runner).action is Action.REPLACED
    assert table(runner) == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("of_run", "of_model", "anew"),
    [
        (True, None, True),
        (False, None, False),
        (True, False, False),
        (False, True, True),
    ],
)
def test_the_models_own_full_refresh_wins(
    runner: DuckDBRunner, of_run: bool, of_model: bool | None, anew: bool
) -> None:
    built = incremental(unique_key=("id",), full_refresh=of_model)
    build_model(built, BOTH, runner)
    result = build_model(built, BOTH, runner, full_refresh=of_run)
    assert result.action is (Action.REPLACED if anew else Action.UPDATED)
    assert len(table(runner)) == (2 if anew else 3)


@pytest.mark.parametrize("strategy", [None, "delete+insert", "merge"])
def test_rows_with_a_known_key_are_replaced(runner: DuckDBRunner, strategy: str | None) -> None:
    rows = build_twice(runner, incremental(strategy=strategy, unique_key=("ID",)))
    assert table(runner) == [(1, "a"), (2, "B"), (3, "C")]
    assert rows == 2


def test_the_staged_rows_are_gone_afterwards(runner: DuckDBRunner) -> None:
    build_twice(runner, incremental(unique_key=("id",)))
    assert runner.fetch("select table_name from system.information_schema.tables") == [("orders",)]


def test_a_key_may_be_written_with_quotes(runner: DuckDBRunner) -> None:
    build_twice(runner, incremental(unique_key=('"id"',)))
    assert len(table(runner)) == 3


@pytest.mark.parametrize(
    ("built", "increment", "message"),
    [
        (
            incremental(unique_key=("id", "day")),
            LATER,
            "unique_key names 'day', which the query of memory.marts.orders does not have; its "
            "columns are id, name",
        ),
        (
            incremental(strategy="merge", unique_key=("id",), merge_update_columns=("nme",)),
            LATER,
            "merge_update_columns names 'nme', which memory.marts.orders does not have",
        ),
        (
            incremental(strategy="append"),
            "select 3 as id",
            "the query of memory.marts.orders does not return 'name', which the table has; it "
            "returns id",
        ),
        (
            incremental(strategy="merge", unique_key=("id",)),
            "select 3 as id, 4 as extra",
            "merge: the query returns 'extra', which memory.marts.orders does not have",
        ),
    ],
)
def test_columns_that_do_not_fit_are_named(
    runner: DuckDBRunner, built: Node, increment: str, message: str
) -> None:
    with pytest.raises(RunError) as caught:
        build_twice(runner, built, increment)
    assert message in str(caught.value)
    assert table(runner) == [(1, "a"), (2, "b")]


def test_on_schema_change_fail_says_what_differs(runner: DuckDBRunner) -> None:
    with pytest.raises(RunError) as caught:
        build_twice(
            runner, incremental(change=SchemaChange.FAIL), "select 1.5 as id, true as extra"
        )
    assert str(caught.value) == (
        "model.shop.orders: the columns of the query and of memory.marts.orders differ, and "
        "on_schema_change is fail. Only in the query: extra BOOLEAN. Only in the table: name "
        "VARCHAR. Of another type in the query: id DECIMAL(2,1). Set on_schema_change to "
        "append_new_columns or sync_all_columns, run a full refresh, or alter the table."
    )


def test_a_failure_after_the_columns_changed_brings_them_back(runner: DuckDBRunner) -> None:
    """The change of columns is part of the build's transaction."""
    built = incremental(
        strategy="merge", unique_key=("nope",), change=SchemaChange.SYNC_ALL_COLUMNS
    )
    with pytest.raises(RunError, match="unique_key"):
        build_twice(runner, built, "select 3 as id, 4 as extra")
    assert runner.fetch("select column_name from (describe marts.orders)") == [("id",), ("name",)]


def test_settings_that_contradict_each_other_are_refused(runner: DuckDBRunner) -> None:
    both = incremental(
        strategy="merge", merge_update_columns=("id",), merge_exclude_columns=("name",)
    )
    with pytest.raises(ConfigError, match="are both set; keep one"):
        build_twice(runner, both)


def test_a_strategy_that_only_dbt_knows_is_refused(runner: DuckDBRunner) -> None:
    with pytest.raises(ConfigError, match="'microbatch' on duckdb; it knows append, delete"):
        build_twice(runner, incremental(strategy="microbatch"))
