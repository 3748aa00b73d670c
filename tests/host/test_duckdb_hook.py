"""The DuckDB hook under common-sql and its operators."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from airflow.exceptions import AirflowException
from airflow.providers.common.sql.operators.sql import (
    SQLColumnCheckOperator,
    SQLExecuteQueryOperator,
    SQLTableCheckOperator,
)
from airflow.providers_manager import ProvidersManager

from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.duckdb import DuckDBHook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., DuckDBHook]:
    """Define the connection `warehouse` and return a hook on it."""

    def connect(*, extra: dict[str, Any] | None = None, **fields: Any) -> DuckDBHook:
        connection = {"conn_type": "duckdb", "extra": extra or {}, **fields}
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
        return DuckDBHook("warehouse")

    return connect


@pytest.fixture
def hook(connect: Callable[..., DuckDBHook], tmp_path: Path) -> DuckDBHook:
    """A hook on a file with a table `t(n int, name text)` of two rows."""
    hook = connect(host=str(tmp_path / "shop.duckdb"))
    hook.run(["create table t(n int, name text)", "insert into t values (1, 'a'), (2, 'b')"])
    return hook


def test_records(hook: DuckDBHook) -> None:
    assert hook.get_records("from t order by n") == [(1, "a"), (2, "b")]
    assert hook.get_records("from t where n = ?", parameters=[2]) == [(2, "b")]
    assert hook.get_first("select max(n) from t") == (2,)


def test_statements_of_one_run_are_one_transaction(hook: DuckDBHook) -> None:
    with pytest.raises(duckdb.CatalogException):
        hook.run(["insert into t values (3, 'c')", "create schema s", "insert into absent from t"])
    assert hook.get_first("select count(*) from t") == (2,)
    hook.run("create schema s")


def test_with_autocommit_each_statement_stands(hook: DuckDBHook) -> None:
    with pytest.raises(duckdb.CatalogException):
        hook.run(["insert into t values (3, 'c')", "insert into absent from t"], autocommit=True)
    assert hook.get_first("select count(*) from t") == (3,)


def test_a_transaction_of_ones_own_is_left_alone(hook: DuckDBHook) -> None:
    hook.run(["begin transaction", "delete from t", "rollback", "insert into t values (9, 'z')"])
    assert hook.get_records("select n from t order by n") == [(1,), (2,), (9,)]
    hook.run("-- mine\nbegin; delete from t where n = 9; commit")
    assert hook.get_records("select n from t order by n") == [(1,), (2,)]


def test_what_returns_no_rows_gives_none(hook: DuckDBHook) -> None:
    assert hook.get_records("insert into t values (3, 'c')") is None
    assert hook.get_records("create table u(n int)") is None
    assert hook.get_records("insert into t values (4, 'd') returning n") == [(4,)]
    assert hook.get_records("update t set n = 5 where n = 4") is None
    assert hook.run("delete from t", handler=lambda cursor: cursor.rowcount) == 4
    assert hook.get_records("-- only a comment") is None


def test_several_statements_can_return_several_results(hook: DuckDBHook) -> None:
    results = hook.run(
        "select 1; select 2",
        split_statements=True,
        return_last=False,
        handler=lambda cursor: cursor.fetchall(),
    )
    assert results == [[(1,)], [(2,)]]


def test_cursors_share_a_transaction_and_keep_their_results(hook: DuckDBHook) -> None:
    with closing(hook.get_conn()) as connection:
        first, second = connection.cursor(), connection.cursor()
        first.execute("insert into t values (3, 'c')")
        first.execute("select n from t order by n")
        assert first.fetchone() == (1,)
        second.execute("select name from t order by n desc")
        assert first.fetchmany(5) == [(2,), (3,)]
        assert [row[0] for row in second] == ["c", "b", "a"]
        assert [column[0] for column in second.description or ()] == ["name"]
        connection.rollback()
    assert hook.get_first("select count(*) from t") == (2,)


@pytest.mark.parametrize("executemany", [True, False])
def test_rows_are_inserted_as_the_values_they_are(hook: DuckDBHook, executemany: bool) -> None:
    hook.run("create table v(i int, d date, t timestamp, x decimal(9, 2), b blob, l int[], n int)")
    row = (1, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5), Decimal("1.50"), b"\0", [1, 2], None)
    hook.insert_rows("v", [row] * 5, commit_every=2, executemany=executemany)
    assert hook.get_records("from v") == [row] * 5


def test_rows_can_replace_others(hook: DuckDBHook) -> None:
    hook.run("create table k(id int primary key, name text)")
    hook.insert_rows("k", [(1, "a"), (2, "b")], target_fields=["id", "name"])
    hook.insert_rows("k", [(2, "B")], target_fields=["id", "name"], replace=True)
    assert hook.get_records("from k order by id") == [(1, "a"), (2, "B")]


def test_a_pandas_frame(hook: DuckDBHook) -> None:
    pytest.importorskip("pandas")
    frame = hook.get_df("select * from t where n > ?", parameters=[1])
    assert frame.to_dict("records") == [{"n": 2, "name": "b"}]


def test_a_polars_frame(hook: DuckDBHook) -> None:
    pytest.importorskip("polars")
    frame = hook.get_df("select * from t where n > ?", parameters=[1], df_type="polars")
    assert frame.to_dicts() == [{"n": 2, "name": "b"}]


def test_execute_query_operator(hook: DuckDBHook) -> None:
    operator = SQLExecuteQueryOperator(
        task_id="query",
        conn_id="warehouse",
        sql=["insert into t values (?, 'c')", "select count(*) from t where n <= ?"],
        parameters=[3],
    )
    assert operator.execute({}) == [None, [(3,)]]


def test_column_check_operator(hook: DuckDBHook) -> None:
    def check(least: int) -> None:
        SQLColumnCheckOperator(
            task_id="check",
            conn_id="warehouse",
            table="t",
            column_mapping={"n": {"min": {"geq_to": least}, "null_check": {"equal_to": 0}}},
        ).execute({})

    check(1)
    with pytest.raises(AirflowException):
        check(2)


def test_table_check_operator(hook: DuckDBHook) -> None:
    def check(statement: str) -> None:
        SQLTableCheckOperator(
            task_id="check",
            conn_id="warehouse",
            table="t",
            checks={"rows": {"check_statement": statement}},
        ).execute({})

    check("count(*) = 2")
    with pytest.raises(AirflowException):
        check("count(*) = 3")


def test_a_database_in_memory_lives_as_long_as_the_hook(
    connect: Callable[..., DuckDBHook],
) -> None:
    hook = connect()
    hook.run("create table t as select 1 as n")
    assert hook.get_records("from t") == [(1,)]
    assert DuckDBHook("warehouse").get_records("show tables") == []


@pytest.mark.parametrize("host", ["shop.duckdb", 'it\'s "my" shöp.duckdb', ""])
def test_a_name_for_the_database(
    connect: Callable[..., DuckDBHook], tmp_path: Path, host: str
) -> None:
    hook = connect(host=str(tmp_path / host) if host else "", extra={"database": 'my "shop'})
    hook.run(["create schema s", "create table s.t as select 1 as n"])
    assert hook.get_records('from "my ""shop".s.t') == [(1,)]
    assert hook.get_first("select current_database()") == ('my "shop',)


def test_settings_of_duckdb(connect: Callable[..., DuckDBHook], tmp_path: Path) -> None:
    for extra in ({}, {"database": "shop"}):
        hook = connect(host=str(tmp_path / "x.duckdb"), extra={"config": {"threads": 1}, **extra})
        assert hook.get_first("select current_setting('threads')") == (1,)


def test_read_only(connect: Callable[..., DuckDBHook], hook: DuckDBHook, tmp_path: Path) -> None:
    for extra in ({}, {"database": "shop"}):
        reader = connect(host=str(tmp_path / "shop.duckdb"), extra={"read_only": True, **extra})
        assert reader.get_first("select count(*) from t") == (2,)
        with pytest.raises(duckdb.InvalidInputException):
            reader.run("delete from t")


def test_an_unknown_extra_is_warned_of(
    connect: Callable[..., DuckDBHook], capfd: pytest.CaptureFixture[str]
) -> None:
    connect(extra={"thread": 1}).get_first("select 1")
    assert "extra thread means nothing to DuckDB" in capfd.readouterr().out


def test_a_missing_folder_is_named(connect: Callable[..., DuckDBHook], tmp_path: Path) -> None:
    hook = connect(host=str(tmp_path / "absent" / "shop.duckdb"))
    with pytest.raises(ConfigError) as caught:
        hook.get_conn()
    assert str(caught.value) == (
        f"{tmp_path}/absent/shop.duckdb: the folder {tmp_path}/absent does not exist. Make it, or "
        "mend the connection's host (a relative path starts at AIRFLOW_HOME)."
    )


def test_a_folder_is_no_file(connect: Callable[..., DuckDBHook], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder; name a DuckDB file"):
        connect(host=str(tmp_path)).get_conn()


def test_a_file_that_is_no_database_is_left_as_it_is(
    connect: Callable[..., DuckDBHook], tmp_path: Path
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 500)
    for _ in range(2):
        with pytest.raises(duckdb.IOException, match="not a valid DuckDB database file"):
            connect(host=str(path)).get_conn()
    assert path.read_text().startswith("not a database")


def test_motherduck_fails_without_telling_the_token(connect: Callable[..., DuckDBHook]) -> None:
    """Without its extension or a network it cannot open; the message must stay clean."""
    config = {"custom_extension_repository": "http://127.0.0.1:9", "extension_directory": "/tmp/x"}
    hook = connect(host="md:shop", password="s3cr3t-token-xyz", extra={"config": config})
    with pytest.raises(ConfigError, match="MotherDuck did not open") as caught:
        hook.get_conn()
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "s3cr3t" not in hook.get_uri()


def test_the_test_button(connect: Callable[..., DuckDBHook], tmp_path: Path) -> None:
    assert connect().test_connection() == (True, "Connection successfully tested")
    status, message = connect(host=str(tmp_path / "new.duckdb")).test_connection()
    assert status
    assert "does not exist yet" in message
    assert not (tmp_path / "new.duckdb").exists()
    status, message = connect(host=str(tmp_path / "absent" / "new.duckdb")).test_connection()
    assert not status
    assert "does not exist" in message
    status, message = connect(extra={"lock_timeout": "soon"}).test_connection()
    assert not status
    assert "lock_timeout" in message


def test_how_it_presents_itself(connect: Callable[..., DuckDBHook], tmp_path: Path) -> None:
    hook = connect(host=str(tmp_path / "shop.duckdb"))
    assert (hook.dialect_name, hook.placeholder) == ("duckdb", "?")
    assert hook.get_uri() == f"duckdb:///{tmp_path}/shop.duckdb"
    assert DuckDBHook.default_conn_name == "duckdb_default"
    form = ProvidersManager().field_behaviours["duckdb"]
    assert form["relabeling"] == {"host": "File path", "password": "MotherDuck token"}
    assert form["hidden_fields"] == ["schema", "login", "port"]
    assert json.loads(form["placeholders"]["extra"]).keys() <= {
        "database",
        "config",
        "lock_timeout",
    }
