"""Values of a run in compiled SQL: what is written is data, on a real engine."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from airflow_dataops.core.execution.values import RunValues, filled, with_values
from airflow_dataops.core.model import Code, Place, RunValue, Slot
from airflow_dataops.core.sql.places import places_of
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = st.one_of(
    st.text(max_size=12),
    st.text("'\"\\`;-/*$ \n\tx0", max_size=12),
    st.sampled_from(["'; drop table t; --", "\\'", "''", "*/ 1", "1e9", "-1", "1--1", "x' || 'y"]),
)
WORDS = {
    "select 'a MARK' as x": Place.TEXT,
    'select 1 as "c MARK"': Place.NAME,
    "select MARK as x": Place.BARE,
    "select 1 as c_MARK": Place.WORD,
    "select 1 /* MARK */ as x": Place.COMMENT,
    "select 1 as x -- MARK": Place.COMMENT,
}


def slots_of(sql: str, dialect: str) -> tuple[Slot, ...]:
    at = sql.index("MARK")
    (place,) = places_of(sql, [(at, at + 4)], dialect)
    assert place is not None
    return (Slot(at=at, length=4, place=place, value=RunValue(source="var", name="v")),)


def written(sql: str, value: Any, dialect: str = "duckdb") -> str:
    run = RunValues(variables={"v": value})
    return filled(sql, slots_of(sql, dialect), run, dialect, "model.p.m")


@given(value=HOSTILE)
def test_a_text_comes_back_as_it_went_in(value: str) -> None:
    try:
        sql = written("select 'a MARK' as x", value)
    except ConfigError:
        assert "\0" in value
        return
    assert duckdb.sql(sql).fetchall() == [(f"a {value}",)]


@given(value=HOSTILE, sql=st.sampled_from(sorted(WORDS)))
@pytest.mark.parametrize("dialect", ["bigquery", "duckdb", "postgres", "snowflake"])
def test_a_value_never_changes_the_statement(dialect: str, value: str, sql: str) -> None:
    """sqlglot reads one statement of the same shape, whatever the value is; or it is refused."""
    if dialect == "bigquery":
        sql = sql.replace('"', "`")
    try:
        found = written(sql, value, dialect)
    except ConfigError:
        return
    assert shape(found, dialect) == shape(sql.replace("MARK", "mark"), dialect)


def shape(sql: str, dialect: str) -> list[str]:
    statements = [each for each in sqlglot.parse(sql, dialect=dialect) if each is not None]
    (statement,) = statements
    kinds: Callable[[exp.Expression], str] = lambda node: type(node).__name__  # noqa: E731
    same = {"Column", "Literal", "Neg", "Identifier", "Boolean", "Null"}
    return [
        "value" if kinds(node) in same else kinds(node)
        for node in statement.find_all(
            exp.Select, exp.Alias, exp.Table, exp.Join, exp.Func, exp.Binary, exp.Union
        )
    ]


@pytest.mark.parametrize("sql", sorted(WORDS))
def test_where_a_value_is_found(sql: str) -> None:
    assert slots_of(sql, "duckdb")[0].place is WORDS[sql]


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("select $$ MARK $$", "postgres"),
        ("select e'MARK'", "postgres"),
        ("select u&'MARK'", "duckdb"),
        ("select r'MARK'", "bigquery"),
        ("select 'MARK", "duckdb"),
        ("select $$ MARK $$", "snowflake"),
    ],
)
def test_where_a_value_has_no_safe_place(sql: str, dialect: str) -> None:
    at = sql.index("MARK")
    assert places_of(sql, [(at, at + 4)], dialect) == [None]


def test_a_var_without_a_value_says_what_to_do() -> None:
    code = Code(sql="select 'MARK'", slots={"sql": slots_of("select 'MARK'", "duckdb")})
    with pytest.raises(ConfigError, match=r"model.p.m: var 'v' has no value.*vars=\{'v'"):
        with_values(code, RunValues(), "duckdb", "model.p.m")
    with pytest.raises(ConfigError, match="which has no place in SQL"):
        with_values(code, RunValues(variables={"v": [1]}), "duckdb", "model.p.m")
    found = with_values(code, RunValues(variables={"v": date(2026, 1, 5)}), "duckdb", "model.p.m")
    assert found == Code(sql="select '2026-01-05'")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), "2026-03-29 00:30:00+00:00"),
        ((("strftime", "%Y/%m"),), "2026/03"),
        ((("date",), ("plus", -1, 0, 0)), "2026-03-28"),
        ((("astimezone", "Europe/Berlin"), ("isoformat",)), "2026-03-29T01:30:00+01:00"),
        ((("replace", {"hour": 0, "minute": 0}),), "2026-03-29 00:00:00+00:00"),
        ((("get", "year"),), "2026"),
        ((("call", "isoweekday"),), "7"),
    ],
)
def test_a_time_takes_the_steps_of_the_model(steps: tuple[Any, ...], expected: str) -> None:
    value = RunValue(source="run_started_at", steps=steps)
    slot = Slot(at=8, length=1, place=Place.TEXT, value=value)
    run = RunValues(started_at=datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
    assert filled("select '?'", [slot], run, "duckdb", "m") == f"select '{expected}'"


def test_a_step_that_nobody_takes_is_refused() -> None:
    value = RunValue(source="now", steps=(("get", "__class__"),))
    slot = Slot(at=0, length=1, place=Place.TEXT, value=value)
    with pytest.raises(ConfigError, match="compile it again"):
        filled("?", [slot], RunValues(), "duckdb", "m")
