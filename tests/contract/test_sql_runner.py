"""What every `SqlRunner` must do, whatever it runs on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import duckdb
import pytest

from airflow_dataops.core.execution.recording import RecordingRunner
from airflow_dataops.hooks.sql_runner import open_session
from tests.duckdb_runner import open_duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_dataops.core.ports import SqlRunner


@pytest.fixture(params=["plain", "recording", "hook on a file", "hook in memory"])
def runner(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SqlRunner]:
    if request.param in ("plain", "recording"):
        with open_duckdb() as plain:
            yield plain if request.param == "plain" else RecordingRunner(plain)
        return
    host = str(tmp_path / "shop.duckdb") if request.param == "hook on a file" else ""
    connection = json.dumps({"conn_type": "duckdb", "host": host})
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", connection)
    with open_session("warehouse") as session:
        yield session


@pytest.fixture
def table(runner: SqlRunner) -> SqlRunner:
    """A runner with a table `t(n int)` of the rows 1 and 2."""
    runner.execute("create table t(n int)")
    runner.execute("insert into t values (1), (2)")
    return runner


def rows(runner: SqlRunner) -> list[tuple[object, ...]]:
    return runner.fetch("from t order by n")


def test_it_says_what_it_speaks(runner: SqlRunner) -> None:
    assert (runner.dialect, runner.placeholder) == ("duckdb", "?")


def test_queries_return_tuples(table: SqlRunner) -> None:
    assert table.fetch("select n, 'x' as x from t where n > ?", [1]) == [(2, "x")]


@pytest.mark.parametrize(
    ("statement", "changed"),
    [
        ("insert into t from t", 2),
        ("update t set n = 0 where n > 1", 1),
        ("delete from t where false", 0),
        ("create table u as from t", 2),
        ("create table u(n int)", -1),
        ("create view v as from t", -1),
        ("drop table t", -1),
    ],
)
def test_statements_tell_the_rows_they_changed(
    table: SqlRunner, statement: str, changed: int
) -> None:
    assert table.execute(statement) == changed


def test_values_are_bound_not_written(table: SqlRunner) -> None:
    table.execute("create table said(what text)")
    table.execute("insert into said values (?)", ["'; drop table t; --"])
    assert table.fetch("from said") == [("'; drop table t; --",)]


def test_a_question_mark_or_percent_without_values_is_only_text(runner: SqlRunner) -> None:
    assert runner.fetch("select '100 %s?' as x") == [("100 %s?",)]


def test_a_transaction_commits_at_its_end(table: SqlRunner) -> None:
    with table.transaction():
        table.execute("delete from t")
        table.execute("insert into t values (3)")
    assert rows(table) == [(3,)]


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_a_transaction_that_raises_leaves_nothing(
    table: SqlRunner, error: type[BaseException]
) -> None:
    def work() -> None:
        with table.transaction():
            table.execute("create or replace table t as select 9 as n")
            table.execute("create schema other")
            raise error

    with pytest.raises(error):
        work()
    assert rows(table) == [(1,), (2,)]
    schemas = table.fetch("select schema_name from system.information_schema.schemata")
    assert ("other",) not in schemas


def test_after_an_engine_error_the_session_works_on(table: SqlRunner) -> None:
    def work() -> None:
        with table.transaction():
            table.execute("insert into t values (3)")
            table.execute("insert into nowhere values (1)")

    with pytest.raises(duckdb.Error):
        work()
    assert rows(table) == [(1,), (2,)]
    with table.transaction():
        table.execute("insert into t values (3)")
    assert len(rows(table)) == 3


def test_outside_of_a_transaction_each_statement_commits(table: SqlRunner) -> None:
    with pytest.raises(duckdb.Error):
        table.execute("insert into nowhere values (1)")
    table.execute("insert into t values (3)")
    with pytest.raises(KeyError), table.transaction():
        raise KeyError
    assert len(rows(table)) == 3


def test_several_statements_may_come_in_one_text(table: SqlRunner) -> None:
    """A dbt hook is such a text."""
    table.execute("insert into t values (3); delete from t where n = 1")
    assert rows(table) == [(2,), (3,)]


def test_what_a_session_leaves_open_is_rolled_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = {"conn_type": "duckdb", "host": str(tmp_path / "shop.duckdb")}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
    with open_session("warehouse") as session:
        session.execute("create table t(n int)")
        pending = session.transaction()
        pending.__enter__()
        session.execute("insert into t values (1)")
    with open_session("warehouse") as session:
        assert rows(session) == []


def test_a_running_statement_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """`on_kill` calls `interrupt` while the statement runs."""
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb"}))
    endless = "select count(*) from range(1000000) a, range(1000000) b where a.range + b.range < 0"
    with open_session("warehouse") as session:
        threading.Timer(0.5, session.interrupt).start()
        started = time.monotonic()
        with pytest.raises(duckdb.InterruptException):
            session.fetch(endless)
        assert time.monotonic() - started < 30
        assert session.fetch("select 1") == [(1,)]


def test_a_signal_handler_can_stop_the_main_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow calls `on_kill` from the handler of SIGTERM, in the thread that runs the query."""
    connection = {"conn_type": "duckdb", "host": str(tmp_path / "shop.duckdb")}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
    process = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert "running\n" in iter(process.stdout.readline, "")
        time.sleep(1)
        process.terminate()
        assert process.communicate(timeout=60)[0].split() == ["on_kill", "stopped"]
    finally:
        process.kill()
        process.communicate()
    with open_session("warehouse") as session:
        assert rows(session) == [(1,)]


KILLED = """
import signal
from airflow_dataops.hooks.sql_runner import open_session

class Killed(BaseException):
    pass

def on_kill(*_):
    print("on_kill", flush=True)
    session.interrupt()
    raise Killed

signal.signal(signal.SIGTERM, on_kill)
with open_session("warehouse") as session:
    session.execute("create table t as select 1 as n")
    try:
        with session.transaction():
            session.execute("delete from t")
            print("running", flush=True)
            session.fetch("select count(*) from range(1000000) a, range(1000000) b"
                          " where a.range + b.range < 0")
    except BaseException:
        print("stopped", flush=True)
"""
