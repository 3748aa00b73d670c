"""The pure parts of loads: counts, names, types, what an error means."""

from __future__ import annotations

import psycopg
import pytest

from airflow_dataops.core.engines import engine_names, get_engine
from airflow_dataops.core.engines.statements import MARK, Effect, Statement, text
from airflow_dataops.core.engines.types import misfit
from airflow_dataops.core.loads.failures import (
    Quietly,
    is_already_there,
    is_conflict,
    is_lost_session,
)
from airflow_dataops.core.loads.lease import Lease, pass_fence
from airflow_dataops.core.loads.publish import tally
from airflow_dataops.core.model import Relation
from airflow_dataops.core.sql.changes import tombstone_table
from airflow_dataops.core.sql.control import Leased
from airflow_dataops.core.sql.staging import staging_prefix
from airflow_dataops.errors import ConfigError, SupersededError
from tests.fakes.sql_runner import FakeSqlRunner


@pytest.mark.parametrize(
    ("effects", "rows", "expected"),
    [
        ([Effect.REMOVED, Effect.INSERTED], [3, 10], {Effect.UPDATED: 3, Effect.INSERTED: 7}),
        ([Effect.DELETED, Effect.DELETED], [1, 2], {Effect.DELETED: 3}),
        ([Effect.INSERTED, Effect.INSERTED], [5, -1], {}),
        ([Effect.REMOVED, Effect.INSERTED], [-1, 10], {}),
        ([Effect.WRITTEN], [4], {Effect.WRITTEN: 4}),
    ],
)
def test_rows_are_added_up(effects: list[Effect], rows: list[int], expected: object) -> None:
    assert tally(effects, rows) == expected


@pytest.mark.parametrize("name", engine_names())
def test_staging_names_fit_and_tell_partitions_apart(name: str) -> None:
    engine = get_engine(name)
    long = Relation(identifier="é" * 3000, schema="s")
    names = {
        staging_prefix(target, partition, engine)
        for target in (long, Relation(identifier="é" * 2999, schema="s"))
        for partition in ("", "1")
    }
    assert len(names) == 4
    assert not any(engine.naming.is_too_long(f"{name}12345678") for name in names)
    assert not engine.naming.is_too_long(tombstone_table(long, engine).identifier)


def test_percents_are_doubled_only_where_values_are_marked_by_them() -> None:
    bound = Statement(sql=f'select "%" = {MARK}', parameters=(1,))
    assert text(bound, "%s") == 'select "%%" = %s'
    assert text(bound, "?") == 'select "%" = ?'
    assert text(Statement(sql="select '%'"), "%s") == "select '%'"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("bigint", "integer"),
        ("numeric", "numeric(10,2)"),
        ("numeric(10,2)", "numeric"),
        ("numeric(10,0)", "bigint"),
        ("integer", "double precision"),
        ("character varying(5)", "text"),
        ("date", "timestamp without time zone"),
        ("text", "jsonb"),
        ("my.own", "text"),
    ],
)
def test_types_that_fit(source: str, target: str) -> None:
    assert misfit(source, target, "postgres") is None


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("numeric(10,3)", "numeric(10,2)"),
        ("double precision", "numeric(10,2)"),
        ("numeric", "integer"),
        ("text", "date"),
        ("date", "timestamp with time zone"),
        ("boolean", "integer"),
        ("bytea", "text"),
    ],
)
def test_types_that_do_not_fit(source: str, target: str) -> None:
    assert misfit(source, target, "postgres") is not None


def test_errors_of_postgres_are_told_by_their_code() -> None:
    errors = psycopg.errors
    assert is_conflict(errors.DeadlockDetected())
    assert is_already_there(errors.DuplicateTable())
    assert is_lost_session(errors.AdminShutdown())
    assert is_lost_session(psycopg.OperationalError("server closed the connection"))
    assert not is_lost_session(errors.UndefinedTable())
    assert not is_conflict(None)


def test_tidying_up_hides_no_signal() -> None:
    with Quietly("tidy"):
        raise ValueError
    with pytest.raises(KeyboardInterrupt), Quietly("tidy"):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("changed", "token", "passes"),
    [(1, 9, True), (0, 7, False), (-1, 7, True), (-1, 8, False)],
    ids=["ours", "taken", "ours, untold", "taken, untold"],
)
def test_nr_19_the_fence_holds_also_where_the_engine_does_not_count_rows(
    changed: int, token: int, passes: bool
) -> None:
    runner = FakeSqlRunner([(token, "o", "r", 1, "h", 0)], changed=changed)
    row = Leased(
        table=Relation(identifier="leases"),
        target="t",
        partition="",
        engine=get_engine("duckdb"),
    )
    if passes:
        pass_fence(Lease(row=row, token=7), runner)
    else:
        with pytest.raises(SupersededError):
            pass_fence(Lease(row=row, token=7), runner)


def test_an_engine_that_is_none_is_named_with_those_that_are() -> None:
    known = f"no engine 'oracle': SQL is written for {', '.join(engine_names())}"
    with pytest.raises(ConfigError, match=known):
        get_engine("oracle")
