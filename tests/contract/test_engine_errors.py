"""What real engines raise, and what it means for a retry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.engines.error_codes import ErrorKind, Fate
from airflow_dataops.core.engines.errors import kind_of
from airflow_dataops.core.execution.explained import Place, explained
from airflow_dataops.errors import RetryableError, RunError
from tests.postgres import PostgresRunner
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.warehouses import Warehouse

FAILING = {
    "selec 1": ErrorKind.SYNTAX,
    "select 1 as a group by alll": ErrorKind.MISSING,
    "select * from nowhere": ErrorKind.MISSING,
    "select nothing from things": ErrorKind.MISSING,
    "select no_function(1)": ErrorKind.MISSING,
    "select cast('x' as integer)": ErrorKind.DATA,
    "insert into things values (1), (1)": ErrorKind.CONSTRAINT,
    "insert into things values (null)": ErrorKind.CONSTRAINT,
    "create table things (id integer)": ErrorKind.EXISTS,
}
ONLY_POSTGRES = {
    "select 1 / 0": ErrorKind.DATA,
    "select (select 1 union all select 2)": ErrorKind.DATA,
    "select 1 from secrets": ErrorKind.DENIED,
    "select pg_sleep(9)": ErrorKind.CANCELLED,
    "lock table held in access exclusive mode nowait": ErrorKind.LOCKED,
}
# DuckDB's binder says of all names that it does not know them, and of types that they do not fit.
SAID_BY_DUCKDB = {ErrorKind.MISSING: {ErrorKind.MISSING, ErrorKind.SYNTAX}}


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    with open_warehouse(request.param) as opened:
        runner = opened.runner
        if opened.dialect == "postgres":
            runner.execute(f'set search_path to "{opened.schema}"')
        else:
            runner.execute(f'use "{opened.schema}"')
        runner.execute("create table things (id integer primary key)")
        yield opened


def raised(warehouse: Warehouse, sql: str) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each engine has its own
        warehouse.runner.fetch(sql)
    return caught.value


@pytest.mark.parametrize("sql", FAILING)
def test_what_would_fail_again_is_final(warehouse: Warehouse, sql: str) -> None:
    error, expected = raised(warehouse, sql), FAILING[sql]
    likely = SAID_BY_DUCKDB if warehouse.dialect == "duckdb" else {}
    found = kind_of(error)
    assert found in likely.get(expected, {expected})
    if expected is ErrorKind.EXISTS:  # another session may have made it, and drop it again
        assert found.fate is Fate.UNKNOWN
        return
    ours = explained(error, place=Place(name="model.shop.a"), statement=sql)
    assert isinstance(ours, RunError)
    assert str(ours).startswith("model.shop.a: ")
    assert sql in str(ours)
    assert "a retry would end the same, so there is none" in str(ours)


@pytest.mark.parametrize("sql", ONLY_POSTGRES)
def test_what_postgres_tells_besides(sql: str) -> None:
    with open_warehouse("postgres") as warehouse:
        runner = warehouse.runner
        role = f"nobody_{warehouse.schema}"
        runner.execute(f'set search_path to "{warehouse.schema}"')
        for table in ("secrets", "held"):
            runner.execute(f"create table {table} (id integer)")
        other = PostgresRunner()
        with other.transaction():
            other.execute(f'lock table "{warehouse.schema}".held in access share mode')
            if "secrets" in sql:
                runner.execute(f"create role {role}")
                runner.execute(f'grant usage on schema "{warehouse.schema}" to {role}')
                runner.execute(f"set role {role}")
            if "pg_sleep" in sql:
                runner.execute("set statement_timeout = 10")
            if "lock" in sql:
                runner.execute("begin")
            error = raised(warehouse, sql)
        other.close()
    assert kind_of(error) is ONLY_POSTGRES[sql]
    final = ONLY_POSTGRES[sql].fate is Fate.FINAL
    assert isinstance(explained(error), RunError if final else RetryableError)


def test_a_lost_session_can_be_retried() -> None:
    with open_warehouse("postgres") as warehouse:
        victim = PostgresRunner()
        [(pid,)] = victim.fetch("select pg_backend_pid()")
        warehouse.runner.fetch("select pg_terminate_backend(%s, 5000)", [pid])
        for kind in ("it is told", "the connection is gone"):
            with pytest.raises(Exception) as caught:  # noqa: PT011
                victim.fetch("select 1")
            assert kind_of(caught.value) is ErrorKind.LOST, kind
            assert isinstance(explained(caught.value), RetryableError)


CODE = "select region,\n  count(*) as n\nfrom (select 1 as region) as t\ngroup by alll\norder by 1"


def test_an_error_names_node_file_line_and_statement(warehouse: Warehouse) -> None:
    place = Place(name="model.shop.orders", path="models/marts/orders.sql", code=CODE)
    statement = f"create table orders as (\n{CODE}\n)"
    # As a session does: a comment with the task's ids goes before each statement.
    error = raised(warehouse, f"/*dag='shop',task='orders'*/\n{statement}")
    text = str(explained(error, place=place, statement=statement))
    where = "models/marts/orders.sql, line 4 of the compiled query"
    assert text.startswith(f"model.shop.orders ({where}): ")
    assert "\n>    4 group by alll\n" in text
    assert "\n  create table orders as (\n     2   count(*) as n\n" in text
    assert "LINE" not in text


def test_what_an_error_tells_holds_no_secret_and_is_short() -> None:
    statement = "set password = 'hunter2-hunter2'" + " -- and more" * 500
    error = RuntimeError(f"the key was: password='hunter2-hunter2' {'x' * 5000}")
    error.sqlstate = "42601"  # type: ignore[attr-defined]
    text = str(explained(error, place=Place(name="a"), statement=statement))
    assert "hunter2" not in text
    assert len(text) < 2500


def test_what_is_no_engines_error_is_left_alone() -> None:
    assert explained(KeyError("x")) is None
    assert explained(FileNotFoundError("x")) is None
