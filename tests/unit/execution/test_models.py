"""Views and tables: what a build leaves behind, on a real DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from airflow_dataops.core.execution.models import build_model
from airflow_dataops.core.execution.results import Action, BuildResult
from airflow_dataops.core.model import Hook, NodeKind, Relation, TestSpec
from airflow_dataops.errors import ConfigError
from tests.duckdb_runner import DuckDBRunner, open_duckdb
from tests.unit.execution.nodes import code, incremental, model, node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.model import Node


@pytest.fixture
def runner() -> Iterator[DuckDBRunner]:
    with open_duckdb() as runner:
        yield runner


def kinds(runner: DuckDBRunner) -> dict[str, str]:
    return dict(runner.fetch("select table_name, table_type from system.information_schema.tables"))


def test_a_table_is_made_with_its_schema(runner: DuckDBRunner) -> None:
    result = build_model(model("table"), code("select * from range(3) -- all"), runner)
    assert result == BuildResult(
        node="model.shop.orders", relation="memory.marts.orders", action=Action.CREATED, rows=3
    )
    assert runner.fetch("select count(*) from marts.orders") == [(3,)]


def test_a_view_has_no_rows_to_count(runner: DuckDBRunner) -> None:
    result = build_model(model("view"), code("select 1 as id -- one"), runner)
    assert (result.action, result.rows) == (Action.CREATED, None)
    assert kinds(runner) == {"orders": "VIEW"}


@pytest.mark.parametrize("before", ["view", "table"])
@pytest.mark.parametrize("after", ["view", "table"])
def test_either_kind_takes_the_place_of_either(
    runner: DuckDBRunner, before: str, after: str
) -> None:
    build_model(model(before), code("select 1 as id"), runner)
    result = build_model(model(after), code("select 2 as id"), runner)
    assert result.action is Action.REPLACED
    assert kinds(runner) == {"orders": "VIEW" if after == "view" else "BASE TABLE"}
    assert runner.fetch("from marts.orders") == [(2,)]


@pytest.mark.parametrize("before", ["view", "table"])
def test_a_table_may_read_what_it_replaces(runner: DuckDBRunner, before: str) -> None:
    build_model(model(before), code("select 1 as id"), runner)
    build_model(model("table"), code("select id + 1 as id from marts.orders"), runner)
    assert runner.fetch("from marts.orders") == [(2,)]


@pytest.mark.parametrize("materialized", ["view", "table", "incremental"])
def test_a_failed_build_leaves_what_was_there(runner: DuckDBRunner, materialized: str) -> None:
    build_model(model("table"), code("select 1 as id"), runner)
    broken = code("select error('no')::int as id", "select error('no')::int as id")
    failing = model(materialized, post_hooks=(Hook(sql="select error('post')"),))
    with pytest.raises(duckdb.Error):
        build_model(failing, broken, runner)
    assert kinds(runner) == {"orders": "BASE TABLE"}
    assert runner.fetch("from marts.orders") == [(1,)]


def test_readers_see_the_old_table_until_the_commit(runner: DuckDBRunner) -> None:
    """A second session looks between the build and its commit, from a hook."""
    build_model(model("table"), code("select 1 as id"), runner)
    reader = runner.connection.cursor()
    seen = []

    class Watching(DuckDBRunner):
        def execute(self, sql: str, parameters: object = ()) -> int:
            if sql == "look":
                seen.append(reader.execute("from marts.orders").fetchall())
                return -1
            return super().execute(sql)

    looking = model("table", post_hooks=(Hook(sql="look"),))
    build_model(looking, code("select 2 as id"), Watching(runner.connection))
    assert seen == [[(1,)]]
    assert reader.execute("from marts.orders").fetchall() == [(2,)]


def test_hooks_run_where_dbt_runs_them(runner: DuckDBRunner) -> None:
    """Outside hooks are committed by themselves, inside ones go with the build."""
    runner.execute("create table said(what text)")

    def say(what: str, *, transaction: bool) -> Hook:
        return Hook(sql=f"insert into said values ('{what}')", transaction=transaction)

    built = model(
        "table",
        pre_hooks=(say("in 1", transaction=True), say("out 1", transaction=False), Hook(sql=" ")),
        post_hooks=(say("out 2", transaction=False), say("in 2", transaction=True)),
    )
    build_model(built, code("select * from said"), runner)
    assert runner.fetch("from marts.orders") == [("out 1",), ("in 1",)]
    assert runner.fetch("from said") == [("out 1",), ("in 1",), ("in 2",), ("out 2",)]
    with pytest.raises(duckdb.Error):
        build_model(built, code("select error('no')"), runner)
    assert runner.fetch("from said")[4:] == [("out 1",)]


def test_a_hook_may_hold_several_statements(runner: DuckDBRunner) -> None:
    hook = Hook(sql="create table a(x int); insert into a values (1)")
    build_model(model("view", pre_hooks=(hook,)), code("from a"), runner)
    assert runner.fetch("from marts.orders") == [(1,)]


def test_a_database_that_the_session_does_not_know_is_refused_first(runner: DuckDBRunner) -> None:
    elsewhere = Relation(database="dev", schema="marts", identifier="orders")
    with pytest.raises(ConfigError) as caught:
        build_model(model("table", relation=elsewhere), code("select 1"), runner)
    assert str(caught.value) == (
        "model.shop.orders: the manifest was compiled for database 'dev', but the connection "
        "opens 'memory'. Compile it for 'memory', point the connection at 'dev' (a DuckDB file "
        'of that name), or set the connection\'s extra {"database": "dev"}.'
    )
    assert kinds(runner) == {}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (model("external"), "not 'external' in sql"),
        (model("ephemeral"), "not 'ephemeral' in sql"),
        (model("table", language="python"), "not 'table' in python"),
        (model("table", unsupported=("grants", "an enforced contract")), "because of grants, an"),
        (model("table", relation=None), "has no relation in the manifest"),
        (node(TestSpec(), kind=NodeKind.TEST), "is a test, not a model"),
    ],
)
def test_what_cannot_be_built_is_refused(runner: DuckDBRunner, wrong: Node, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_model(wrong, code("select 1"), runner)


def test_code_that_is_missing_is_asked_for(runner: DuckDBRunner) -> None:
    with pytest.raises(ConfigError, match="the manifest has no compiled code"):
        build_model(model("table"), code(None), runner)  # type: ignore[arg-type]
    build_model(incremental(), code("select 1 as id"), runner)
    with pytest.raises(ConfigError, match="has no code for an incremental build"):
        build_model(incremental(), code("select 1 as id"), runner)
