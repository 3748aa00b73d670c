"""Snapshots in what a comparison with dbt does not show; see test_snapshots_as_dbt.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.execution.results import Action
from airflow_dataops.core.execution.snapshots import build_snapshot
from airflow_dataops.core.model import Code, HardDeletes, Hook, Node, NodeKind, SnapshotSpec
from airflow_dataops.errors import ConfigError, RunError
from tests.duckdb_runner import open_duckdb
from tests.unit.execution.nodes import model, node

if TYPE_CHECKING:
    from tests.duckdb_runner import DuckDBRunner

QUERY = Code(sql="select * from source -- the newest state")


def snapshot(**settings: Any) -> Node:
    spec = {"strategy": "check", "unique_key": ("id",), "check_cols": ("all",), **settings}
    return node(SnapshotSpec(**spec), kind=NodeKind.SNAPSHOT)


def by_time(**settings: Any) -> Node:
    return snapshot(strategy="timestamp", check_cols=(), updated_at="at", **settings)


def content(runner: DuckDBRunner) -> list[tuple[Any, ...]]:
    return runner.fetch("from marts.orders order by all")


@pytest.mark.parametrize("hard_deletes", HardDeletes)
def test_the_same_source_twice_changes_nothing(hard_deletes: HardDeletes) -> None:
    with open_duckdb() as runner:
        runner.execute("create table source as select * from (values (1, 'a'), (2, null)) t(id, v)")
        kept = snapshot(hard_deletes=hard_deletes)
        first = build_snapshot(kept, QUERY, runner)
        assert (first.action, first.rows) == (Action.CREATED, 2)
        runner.execute("delete from source where id = 2")
        ended = build_snapshot(kept, QUERY, runner)
        changed = {HardDeletes.IGNORE: 0, HardDeletes.INVALIDATE: 1, HardDeletes.NEW_RECORD: 2}
        assert (ended.action, ended.rows) == (Action.UPDATED, changed[hard_deletes])
        before = content(runner)
        for _ in range(2):
            assert build_snapshot(kept, QUERY, runner).rows == 0
            assert content(runner) == before


def test_nothing_but_the_history_is_left_behind() -> None:
    with open_duckdb() as runner:
        runner.execute("create table source as select 1 as id")
        for _ in range(2):
            build_snapshot(snapshot(hard_deletes=HardDeletes.NEW_RECORD), QUERY, runner)
        tables = "select table_name from system.information_schema.tables order by all"
        assert runner.fetch(tables) == [("orders",), ("source",)]


def test_the_query_runs_once() -> None:
    """A query that is never the same twice gives one consistent state."""
    with open_duckdb() as runner:
        runner.execute("create sequence s")
        code = Code(sql="select 1 as id, nextval('s') as v")
        for _ in range(3):
            build_snapshot(snapshot(), code, runner)
        assert runner.fetch("select v from marts.orders order by v") == [(1,), (2,), (3,)]


def test_names_are_resolved_in_any_case_and_with_quotes() -> None:
    with open_duckdb() as runner:
        runner.execute('create table source as select 1 as "Id", 2 as "The Value", 3 as other')
        kept = snapshot(unique_key=("ID",), check_cols=('"the value"',))
        for other in (4, 5):
            build_snapshot(kept, QUERY, runner)
            runner.execute(f"update source set other = {other}")
        assert len(content(runner)) == 1
        runner.execute('update source set "The Value" = 9')
        build_snapshot(kept, QUERY, runner)
        assert len(content(runner)) == 2


def test_updated_at_may_be_an_expression() -> None:
    with open_duckdb() as runner:
        runner.execute(
            "create table source as select 1 as id, date '2024-01-01' as a, null::date as b"
        )
        kept = snapshot(strategy="timestamp", check_cols=(), updated_at="coalesce(b, a)")
        build_snapshot(kept, QUERY, runner)
        runner.execute("update source set b = '2024-01-02'")
        build_snapshot(kept, QUERY, runner)
        times = "select dbt_valid_from::varchar, dbt_valid_to::varchar from marts.orders order by 1"
        assert runner.fetch(times) == [("2024-01-01", "2024-01-02"), ("2024-01-02", None)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unique_key": ("key",)}, "unique_key names 'key'"),
        ({"check_cols": ("v", "lower(v)")}, r"check_cols names 'lower\(v\)'"),
    ],
)
def test_a_column_that_is_not_there_is_named(settings: dict[str, Any], message: str) -> None:
    with open_duckdb() as runner:
        runner.execute("create table source as select 1 as id, 'a' as v")
        build_snapshot(snapshot(), QUERY, runner)
        before = content(runner)
        with pytest.raises(RunError, match=message):
            build_snapshot(snapshot(**settings), QUERY, runner)
        assert content(runner) == before


def test_a_table_that_is_no_snapshot_is_refused() -> None:
    with open_duckdb() as runner:
        runner.execute("create table source as select 1 as id")
        runner.execute("create schema marts")
        runner.execute("create table marts.orders as from source")
        with pytest.raises(RunError, match="lacks dbt_scd_id, dbt_valid_from, dbt_valid_to"):
            build_snapshot(snapshot(), QUERY, runner)
        assert content(runner) == [(1,)]


def test_deletion_records_need_their_column() -> None:
    with open_duckdb() as runner:
        runner.execute("create table source as select 1 as id")
        build_snapshot(snapshot(), QUERY, runner)
        with pytest.raises(RunError, match="lacks dbt_is_deleted"):
            build_snapshot(snapshot(hard_deletes=HardDeletes.NEW_RECORD), QUERY, runner)


def test_a_view_of_that_name_is_left_alone() -> None:
    with open_duckdb() as runner:
        runner.execute("create schema marts")
        runner.execute("create view marts.orders as select 1 as id")
        with pytest.raises(RunError, match="is a view"):
            build_snapshot(snapshot(), Code(sql="select 1 as id"), runner)


def test_hooks_run_around_it() -> None:
    before = Hook(sql="create or replace table source as select 1 as id", transaction=False)
    after = Hook(sql="create or replace table counted as select count(*) as n from marts.orders")
    with open_duckdb() as runner:
        build_snapshot(snapshot(pre_hooks=(before,), post_hooks=(after,)), QUERY, runner)
        assert runner.fetch("from counted") == [(1,)]


@pytest.mark.parametrize(
    ("broken", "code", "message"),
    [
        (model("table"), QUERY, "is a model, not a snapshot"),
        (snapshot(), Code(), "no compiled code"),
        (snapshot(strategy="hash"), QUERY, "because of its strategy 'hash'"),
        (snapshot(unsupported=("grants",)), QUERY, "because of grants"),
        (snapshot(check_cols=()), QUERY, "needs unique_key and"),
        (snapshot(strategy="timestamp"), QUERY, "needs unique_key and"),
        (by_time(unique_key=()), QUERY, "needs unique_key and"),
    ],
)
def test_what_cannot_be_built_says_why(broken: Node, code: Code, message: str) -> None:
    with open_duckdb() as runner, pytest.raises(ConfigError, match=message):
        build_snapshot(broken, code, runner)
