"""Checks of tables, on every engine alike."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_dataops.core.health.config import TableHealth
from airflow_dataops.core.health.tables import check_tables
from tests.duckdb_runner import open_duckdb
from tests.postgres import open_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.health.verdict import Verdict
    from airflow_dataops.core.ports import SqlRunner

NOW = datetime(2024, 3, 31, 12, tzinfo=UTC)
OPENERS = {"duckdb": open_duckdb, "postgres": open_postgres}


@contextmanager
def warehouse(kind: str) -> Iterator[SqlRunner]:
    with OPENERS[kind]() as runner:
        runner.execute("create schema health")
        try:
            yield runner
        finally:
            runner.execute("drop schema health cascade")


@pytest.fixture(params=sorted(OPENERS))
def runner(request: pytest.FixtureRequest) -> Iterator[SqlRunner]:
    with warehouse(request.param) as opened:
        yield opened


def checks(runner: SqlRunner, **of: Any) -> list[Verdict]:
    table = msgspec.convert({"table_id": "health.t", **of}, TableHealth)
    return check_tables(runner, [table], now=NOW)


def freshness(**more: Any) -> dict[str, Any]:
    return {"freshness": {"timestamp_column": "at", "max_age_hours": 2, **more}}


@pytest.mark.parametrize(
    ("type_", "value", "zone", "hours"),
    [
        ("timestamp", "2024-03-31 11:00:00", "UTC", 1),
        ("timestamp", "2024-03-31 13:00:00", "Europe/Berlin", 1),
        ("timestamp with time zone", "2024-03-31 13:00:00+02:00", "America/New_York", 1),
        ("date", "2024-03-31", "UTC", 12),
        ("date", "2024-03-31", "Europe/Berlin", 13),
    ],
)
def test_age_by_type_and_zone(
    runner: SqlRunner, type_: str, value: str, zone: str, hours: float
) -> None:
    """A zone is configured for what has none; what has one needs none. Clocks changed that day."""
    runner.execute(f"create table health.t as select cast('{value}' as {type_}) as at")
    [found] = checks(runner, **freshness(timezone=zone))
    assert found.value == pytest.approx(hours)
    assert found.status == ("PASS" if hours <= 2 else "FAIL")


def test_an_empty_table_is_not_fresh_and_no_crash(runner: SqlRunner) -> None:
    runner.execute('create table health.t ("at" timestamp)')
    fresh, rows = checks(runner, **freshness(), row_count={"min_rows": 1})
    assert (fresh.status, fresh.message) == ("FAIL", "No row has a time in at.")
    assert (rows.status, rows.value) == ("FAIL", 0)


def test_rows_from_the_future_are_a_warning_about_zones(runner: SqlRunner) -> None:
    runner.execute("create table health.t as select timestamp '2024-03-31 14:00:00' as at")
    [found] = checks(runner, **freshness())
    assert found.status == "WARN"
    assert "2.00 h in the future; is at in another time zone than UTC?" in found.message


@pytest.mark.parametrize(
    ("type_", "zone"),
    [
        ("date", "UTC"),
        ("timestamp", "UTC"),
        ("timestamp with time zone", "UTC"),
        ("timestamp with time zone", "Asia/Tokyo"),
    ],
)
def test_rows_are_counted_by_day_and_missing_days_told(
    runner: SqlRunner, type_: str, zone: str
) -> None:
    """Two rows on the 29th and three on the 30th, none on the 28th; today's do not count."""
    offset = "+09:00" if zone == "Asia/Tokyo" else "+00:00"
    ending = offset if "zone" in type_ else ""
    days = ["2024-03-27"] + ["2024-03-29"] * 2 + ["2024-03-30"] * 3 + ["2024-03-31"]
    hours = ["00:30:00", "23:30:00", "00:00:00"] * 3
    values = ", ".join(
        f"(cast('{day} {hour}{ending}' as {type_}))"
        if type_ != "date"
        else f"(cast('{day}' as date))"
        for day, hour in zip(days, hours, strict=False)
    )
    runner.execute(f'create table health.t ("at" {type_})')
    runner.execute(f"insert into health.t values {values}")
    limits = {"min_rows": 2, "partition_column": "at", "lookback_days": 3, "timezone": zone}
    rows, missing = checks(
        runner, row_count=limits, check_partitions=True, partition_lookback_days=3
    )
    counted = {"2024-03-28": 0, "2024-03-29": 2, "2024-03-30": 3}
    assert rows.details == {"rows_by_day": counted}
    assert (rows.status, rows.expected) == ("FAIL", "at least 2 rows a day")
    assert missing.details == {"missing": ["2024-03-28"]}


def test_an_unknown_table_is_an_error_and_the_others_are_checked(runner: SqlRunner) -> None:
    runner.execute("create table health.t as select timestamp '2024-03-31 11:00:00' as at")
    ids = ["health.t", "health.nowhere", "nowhere.t", "health.t"]
    tables = [msgspec.convert({"table_id": id_, **freshness()}, TableHealth) for id_ in ids]
    found = check_tables(runner, tables, now=NOW)
    assert [each.status for each in found] == ["PASS", "ERROR", "ERROR", "PASS"]
    assert "There is no table health.nowhere" in found[1].message


def test_one_table_that_cannot_be_read_spoils_no_other(runner: SqlRunner) -> None:
    """Of 30 asked in one statement, the one that fails is found by halving."""
    runner.execute("create table health.text as select 'x' as word")
    tables = []
    for number in range(30):
        value = "timestamp '2024-03-31 11:00:00'"
        if number == 17:
            value = "timestamp '2024-03-31 11:00:00' + cast(word as integer) * interval '1 day'"
        runner.execute(f"create view health.v{number} as select {value} as at from health.text")
        tables.append(
            msgspec.convert({"table_id": f"health.v{number}", **freshness()}, TableHealth)
        )
    found = check_tables(runner, tables, now=NOW)
    assert [each.table for each in found if each.status == "ERROR"] == ["health.v17"]
    assert sum(each.status == "PASS" for each in found) == 29


def test_wrong_columns_are_errors_that_name_the_columns_there_are(runner: SqlRunner) -> None:
    runner.execute("create table health.t as select 1 as id, 'x' as at")
    text, gone = checks(
        runner, **freshness(), row_count={"min_rows": 1, "partition_column": "gone"}
    )
    assert text.status == gone.status == "ERROR"
    assert "it must be a date or a timestamp" in text.message
    assert gone.message == "There is no column gone; there are id, at."


def test_schema_drift(runner: SqlRunner) -> None:
    runner.execute("create table health.t (id integer not null, note integer, extra text)")
    expected = [
        {"name": "ID", "type": "integer", "mode": "REQUIRED"},
        {"name": "note", "type": "date"},
        {"name": "gone"},
    ]
    [found] = checks(runner, expected_schema=expected)
    assert found.status == "FAIL"
    assert found.message == "note is INTEGER, not date; gone is missing; new: extra." or (
        found.message == "note is integer, not date; gone is missing; new: extra."
    )
    assert checks(runner, expected_schema=expected[:1])[0].status == "WARN"
    assert checks(runner, expected_schema=expected[:1], new_columns="allow")[0].status == "PASS"
    assert checks(runner, expected_schema=expected[:1], new_columns="fail")[0].status == "FAIL"


def test_quality_availability_and_own_checks(runner: SqlRunner) -> None:
    runner.execute(
        "create table health.t as select 1 as id union all select 1 union all select null"
    )
    found = checks(
        runner,
        check_availability=True,
        quality={"not_null": ["id"], "unique": ["id", "no"]},
        checks=[
            {"name": "few", "sql": "select count(*) from {table}", "max": 2},
            {"name": "some", "sql": "select count(*) > 1 from {table}"},
            {"name": "broken", "sql": "select nothing from {table}"},
            {"name": "mine", "python": "tests.contract.test_health_tables:has_three_rows"},
            {"name": "lost", "python": "tests.contract.test_health_tables:not_there"},
        ],
    )
    assert {each.check: each.status.value for each in found} == {
        "availability": "PASS",
        "not_null:id": "FAIL",
        "unique:id": "FAIL",
        "unique:no": "ERROR",
        "few": "FAIL",
        "some": "PASS",
        "broken": "ERROR",
        "mine": "PASS",
        "lost": "ERROR",
    }


def has_three_rows(table_id: str, runner: SqlRunner) -> bool:
    return runner.fetch(f"select count(*) from {table_id}") == [(3,)]


def test_names_are_quoted_whatever_is_in_them(runner: SqlRunner) -> None:
    """A table and a column with quotes, a dot, a percent sign and a semicolon in their names."""
    runner.execute(
        'create table health."T.1"";%s--" as select timestamp \'2024-03-31 11:00:00\' as "a ""b"""'
    )
    table = {
        "table_id": 'health."T.1"";%s--"',
        "freshness": {"timestamp_column": 'a "b"', "max_age_hours": 2},
        "row_count": {"min_rows": 1, "partition_column": 'a "b"', "include_today": True},
        "quality": {"not_null": ['a "b"'], "unique": ['a "b"']},
    }
    found = check_tables(runner, [msgspec.convert(table, TableHealth)], now=NOW)
    assert [each.status.value for each in found] == ["PASS", "FAIL", "PASS", "PASS"]


def test_many_tables_are_few_statements(runner: SqlRunner) -> None:
    """250 tables, two questions each: the place, the listing, ten statements of questions."""
    for number in range(250):
        runner.execute(f"create table health.t{number} as select date '{date(2024, 3, 31)}' as at")
    asked: list[str] = []
    real = runner.fetch

    def fetch(sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return real(sql, parameters)

    runner.fetch = fetch  # type: ignore[method-assign]
    tables = [
        msgspec.convert(
            {
                "table_id": f"health.t{n}",
                **freshness(max_age_hours=13),
                "row_count": {"min_rows": 1},
            },
            TableHealth,
        )
        for n in range(250)
    ]
    found = check_tables(runner, tables, now=NOW + timedelta(minutes=1))
    assert {each.status.value for each in found} == {"PASS"}
    assert len(found) == 500
    assert len(asked) == 12
