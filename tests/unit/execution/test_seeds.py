"""Seeds in what dbt does not do, or does otherwise; the rest is in test_seeds_as_dbt.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from airflow_dataops.core.execution.results import Action
from airflow_dataops.core.execution.seeds import build_seed
from airflow_dataops.core.model import Code, Hook, Node, NodeKind, SeedSpec, TestSpec
from airflow_dataops.errors import ConfigError, RunError
from tests.duckdb_runner import open_duckdb
from tests.unit.execution.nasty_seeds import STRICTER
from tests.unit.execution.nodes import node

if TYPE_CHECKING:
    from airflow_dataops.core.execution.results import BuildResult
    from tests.duckdb_runner import DuckDBRunner


def seed(**settings: Any) -> Node:
    return node(SeedSpec(file="seeds/orders.csv", **settings), kind=NodeKind.SEED)


def load(runner: DuckDBRunner, text: str, *, again: bool = False, **settings: Any) -> BuildResult:
    return build_seed(seed(**settings), Code(csv=text), runner, full_refresh=again)


def content(runner: DuckDBRunner) -> tuple[list[str], list[tuple[Any, ...]]]:
    relation = runner.connection.sql("from marts.orders")
    return [f"{n} {t}" for n, t in zip(relation.columns, relation.types, strict=True)], (
        relation.fetchall()
    )


def test_the_result_says_what_happened() -> None:
    with open_duckdb() as runner:
        first = load(runner, "id\n1\n2\n")
        assert (first.action, first.rows, first.relation) == (
            Action.CREATED,
            2,
            "memory.marts.orders",
        )
        assert load(runner, "id\n3\n").action is Action.REPLACED
        assert content(runner) == (["id INTEGER"], [(3,)])


def test_the_same_file_twice_changes_nothing() -> None:
    with open_duckdb() as runner:
        load(runner, "id,v\n1,a\n")
        before = content(runner)
        load(runner, "id,v\n1,a\n")
        assert content(runner) == before


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("id,v,w\n1,a,x\n", ["id INTEGER", "v VARCHAR", "w VARCHAR"], [(1, "a", "x")]),
        ("id\n1\n", ["id INTEGER"], [(1,)]),
        ("v,id\nb,2\n", ["v VARCHAR", "id INTEGER"], [("b", 2)]),
        ("id,v\n1.5,a\n", ["id DOUBLE", "v VARCHAR"], [(1.5, "a")]),
    ],
    ids=["a column more", "a column less", "another order", "another type"],
)
def test_a_file_with_other_columns_makes_the_table_anew(
    text: str, columns: list[str], rows: list[tuple[Any, ...]]
) -> None:
    """dbt would fail, or load by position, until it is told to refresh fully."""
    with open_duckdb() as runner:
        load(runner, "id,v\n1,a\n")
        load(runner, text)
        assert content(runner) == (columns, rows)


def test_new_rows_keep_the_table_and_a_full_refresh_makes_another() -> None:
    """A default that somebody put on the table tells one from the other."""
    default = "select column_default from duckdb_columns() where column_name = 'id'"
    with open_duckdb() as runner:
        load(runner, "id\n1\n")
        runner.execute("alter table marts.orders alter id set default 7")
        load(runner, "id\n2\n")
        assert runner.fetch(default) == [("7",)]
        load(runner, "id\n2\n", again=True, full_refresh=False)  # the seed's setting wins
        assert runner.fetch(default) == [("7",)]
        load(runner, "id\n2\n", again=True)
        assert runner.fetch(default) == [(None,)]


def test_many_rows_keep_their_order() -> None:
    with open_duckdb() as runner:
        rows = [(i, f"row {i}") for i in range(25_000)]
        load(runner, "id,v\n" + "".join(f"{i},{v}\n" for i, v in rows))
        assert content(runner)[1] == rows


def test_a_view_of_that_name_is_left_alone() -> None:
    with open_duckdb() as runner:
        runner.execute("create schema marts")
        runner.execute("create view marts.orders as select 1 as id")
        with pytest.raises(RunError, match=r"memory\.marts\.orders is a view"):
            load(runner, "id\n2\n")
        assert content(runner)[1] == [(1,)]


def test_values_that_do_not_fit_leave_the_old_rows() -> None:
    with open_duckdb() as runner:
        load(runner, "id\n1\n", column_types={"id": "integer"})
        with pytest.raises(duckdb.ConversionException):
            load(runner, "id\nmany\n", column_types={"id": "integer"})
        assert content(runner)[1] == [(1,)]
        load(runner, "id\n2\n", column_types={"id": "integer"})
        assert content(runner)[1] == [(2,)]


def test_hooks_run_around_the_load() -> None:
    hook = Hook(sql="create or replace table memory.main.seen as select 1 as n")
    count = Hook(sql="create or replace table counted as select count(*) as n from marts.orders")
    with open_duckdb() as runner:
        load(runner, "id\n1\n2\n", pre_hooks=(hook,), post_hooks=(count,))
        assert runner.fetch("select s.n, c.n from seen s, counted c") == [(1, 2)]


@pytest.mark.parametrize("name", STRICTER)
def test_a_malformed_file_is_an_error_with_file_and_line(name: str) -> None:
    text, message = STRICTER[name]
    with open_duckdb() as runner, pytest.raises(RunError) as caught:
        load(runner, text)
    assert f"model.shop.orders (seeds/orders.csv), {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: there is no header"),
        ("id,v\n1,a\n2\n", "line 3: 1 values for 2 columns"),
        ('id,v\n1,"a\nb"\n2,b,c\n', "line 4: 3 values for 2 columns"),
    ],
)
def test_a_row_of_another_width_is_an_error_with_its_line(text: str, message: str) -> None:
    with open_duckdb() as runner, pytest.raises(RunError, match=message):
        load(runner, text)


@pytest.mark.parametrize(
    "type_",
    ["integer); drop table x; --", "integer, b integer", "integer -- x", "", "decimal(10", "a;b"],
)
def test_a_type_is_one_type(type_: str) -> None:
    with open_duckdb() as runner, pytest.raises(ConfigError, match="not a SQL type") as caught:
        load(runner, "id\n1\n", column_types={"id": type_})
    assert "model.shop.orders, column id" in str(caught.value)


@pytest.mark.parametrize(
    ("broken", "code", "message"),
    [
        (node(TestSpec(), kind=NodeKind.TEST), Code(), "is a test, not a seed"),
        (seed(), Code(), "does not carry the text of seeds/orders.csv"),
        (seed(unsupported=("an index",)), Code(csv="id\n"), "because of an index"),
        (seed(delimiter="||"), Code(csv="id\n"), "is not one character"),
    ],
)
def test_what_cannot_be_loaded_says_why(broken: Node, code: Code, message: str) -> None:
    with open_duckdb() as runner, pytest.raises(ConfigError, match=message):
        build_seed(broken, code, runner, full_refresh=False)
