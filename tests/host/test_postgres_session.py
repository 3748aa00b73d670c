"""Sessions with a real Postgres over Airflow's hook: tags, transactions, being stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from airflow_dataops.core.sql.tags import Tag
from airflow_dataops.hooks.sql_runner import open_session
from tests.postgres import open_postgres, postgres_uri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.hooks.sql_runner import WarehouseSession

TAG = Tag(dag="100% */ shop", task="orders", run="manual__2026-01-05T00:00:00+00:00", try_number=2)
COMMENT = "/*dag='100%25%20%2A%2F%20shop',run='manual__"
RUNNING = "select count(*) from pg_stat_activity where state = 'active' and query like %s"


@pytest.fixture(autouse=True)
def connection(monkeypatch: pytest.MonkeyPatch) -> None:
    server = psycopg.conninfo.conninfo_to_dict(postgres_uri())
    connection = {
        "conn_type": "postgres",
        "login": server["user"],
        "schema": server["dbname"],
        "extra": {"host": server["host"]},
    }
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))


@pytest.fixture
def session() -> Iterator[WarehouseSession]:
    with open_session("warehouse", tag=TAG) as opened:
        opened.execute("create temporary table t(n int)")
        yield opened


def test_it_says_what_it_speaks(session: WarehouseSession) -> None:
    assert (session.dialect, session.placeholder) == ("postgres", "%s")


def test_the_server_sees_who_runs_each_statement(session: WarehouseSession) -> None:
    sql = "select query, application_name from pg_stat_activity where pid = pg_backend_pid()"
    for parameters in ((), (1,)):
        condition = " and 1 = %s" if parameters else ""
        [(query, name)] = session.fetch(sql + condition, parameters)
        assert query.startswith(COMMENT)
        assert name == "airflow 100% */ shop.orders try 2"


def test_a_percent_without_values_is_only_text(session: WarehouseSession) -> None:
    assert session.fetch("select '100 %s?' as x") == [("100 %s?",)]


def test_statements_tell_the_rows_they_changed(session: WarehouseSession) -> None:
    assert session.execute("insert into t values (%s), (%s)", [1, 2]) == 2
    assert session.execute("delete from t where n > 1") == 1


def test_a_transaction_that_raises_leaves_nothing(session: WarehouseSession) -> None:
    def work() -> None:
        with session.transaction():
            session.execute("insert into t values (1)")
            session.execute("insert into nowhere values (1)")

    with pytest.raises(psycopg.Error):
        work()
    with session.transaction():
        session.execute("insert into t values (2)")
    assert session.fetch("select n from t") == [(2,)]


def test_a_running_statement_can_be_stopped(session: WarehouseSession) -> None:
    threading.Timer(0.5, session.interrupt).start()
    started = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled):
        session.fetch("select pg_sleep(60)")
    assert time.monotonic() - started < 30
    assert session.fetch("select 1") == [(1,)]


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGALRM"])
def test_what_a_kill_or_a_timeout_ends_is_stopped_on_the_server(signal: str) -> None:
    """Airflow's `on_kill` runs in a handler of SIGTERM, its timeout raises in one of SIGALRM."""
    mark = f"stopped by {signal} of {os.getpid()}"
    script = STOPPED.format(signal=signal, mark=mark)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        with open_postgres() as other:
            until(lambda: other.fetch(RUNNING, [f"%sleep%{mark}%"]) == [(1,)], process)
            process.send_signal(getattr(__import__("signal"), signal))
            out, err = process.communicate(timeout=60)
            assert out.split() == ["stopped"], err
            until(lambda: other.fetch(RUNNING, [f"%sleep%{mark}%"]) == [(0,)])
    finally:
        process.kill()
        process.communicate()


def until(condition: object, process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


STOPPED = """
import signal
from airflow_dataops.hooks.sql_runner import open_session

class Stopped(BaseException):
    pass

def handle(*_):
    if "{signal}" == "SIGTERM":
        session.interrupt()
    raise Stopped

signal.signal(signal.{signal}, handle)
with open_session("warehouse") as session:
    try:
        with session.transaction():
            session.fetch("select pg_sleep(600) /* {mark} */")
    except BaseException as error:
        print("stopped", flush=True)
"""
