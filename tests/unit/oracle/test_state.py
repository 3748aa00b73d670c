"""The oracle's eyes: what it calls equal, and what not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.duckdb_runner import open_duckdb
from tests.oracle.state import Clock, State, differences, now, read_state


def state_of(*statements: str, clock: Clock | None = None) -> State:
    with open_duckdb() as runner:
        for statement in statements:
            runner.execute(statement)
        return read_state(runner, clock or Clock(()))


TABLE = "create table t as select 1 as a, 'x' as b union all select 2, null"


def test_the_order_of_rows_does_not_matter() -> None:
    other = "create table t as select 2 as a, null::varchar as b union all select 1, 'x'"

    assert not differences(state_of(TABLE), state_of(other))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("create view t as select 1 as a, 'x' as b union all select 2, null", "ours is a VIEW"),
        ("create table t as select 1::bigint as a, 'x' as b union all select 2, null", "BIGINT"),
        ("create table t as select 'x' as b, 1 as a union all select null, 2", "columns"),
        ("create table t as select 1 as a, 'x' as b", "1 of dbt's 2 rows are not in ours"),
        (TABLE + " union all select 2, null", "1 of ours not in dbt's"),
        ("create table t as select 1 as a, 'x' as b union all select 2, ''", "('str', '')"),
        ("create table u as select 1 as a", "only dbt has it"),
    ],
    ids=["kind", "type", "order of columns", "missing", "twice", "empty for null", "name"],
)
def test_a_difference_is_found(other: str, said: str) -> None:
    assert said in "\n".join(differences(state_of(TABLE), state_of(other)))


def test_values_that_python_calls_equal_are_told_apart() -> None:
    one = state_of("create table t as select union_value(i := 1) as v")
    true = state_of("create table t as select union_value(i := 1.0::double) as v")

    assert differences(one, true)


def test_times_of_the_clock_are_compared_by_rank_and_their_hashes_not_at_all() -> None:
    """Two runs at different times agree; the same rows with times the other way round do not."""

    def history(first: datetime, second: datetime, swapped: bool = False) -> State:
        a, b = (second, first) if swapped else (first, second)
        clock = Clock(((first - timedelta(1), first), (second, second)))
        rows = f"""
            create table t as select 1 as id, md5('{a}') as h, timestamp '{a}' as at
            union all select 2, md5('{b}'), timestamp '{b}'
        """
        return state_of(rows, clock=clock)

    yesterday = history(datetime(2026, 1, 1, 1), datetime(2026, 1, 1, 2))
    today = history(datetime(2026, 1, 2, 1), datetime(2026, 1, 2, 9))

    assert not differences(yesterday, today)
    assert differences(
        yesterday, history(datetime(2026, 1, 2, 1), datetime(2026, 1, 2, 9), swapped=True)
    )


def test_times_that_come_from_the_data_are_compared_as_they_are() -> None:
    with open_duckdb() as runner:
        start = now(runner)
    clock = Clock(((start, start + timedelta(minutes=1)),))
    table = "create table t as select timestamp '{}' as at, md5('x') as h"

    one = state_of(table.format("2020-01-01"), clock=clock)
    other = state_of(table.format("2020-01-02"), clock=clock)

    assert differences(one, other)
