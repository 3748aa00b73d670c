"""Increment, on every engine. Numbers are those of the conformance list."""

from __future__ import annotations

import json
import logging
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.loads.specs import Attempt, Increment, NullCursor
from airflow_dataops.errors import ConfigError, RunError
from tests.contract.loading import load

if TYPE_CHECKING:
    from airflow_dataops.core.loads.sources import Query
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

EVENTS = {"id": "int", "at": "time", "n": "int"}
KEYED = Increment(cursor="at", keys=("id",))
UNKEYED = Increment(cursor="at")
BOTH = pytest.mark.parametrize("verb", [KEYED, UNKEYED], ids=["by key", "by all columns"])


def at(minute: int, hour: int = 12) -> datetime:
    return datetime(2026, 1, 2, hour, minute)


def grow(warehouse: Warehouse, source: Relation, *rows: tuple[Any, ...]) -> None:
    warehouse.add(source, tuple(EVENTS), rows)


@pytest.fixture
def target(warehouse: Warehouse) -> Relation:
    return warehouse.table("events", EVENTS)


@pytest.fixture
def origin(warehouse: Warehouse) -> Relation:
    return warehouse.table("origin", EVENTS, [(1, at(1), 10), (2, at(2), 20)])


@pytest.fixture
def source(warehouse: Warehouse, origin: Relation) -> Query:
    from airflow_dataops.core.loads.sources import Query

    return Query(sql=f"select * from {warehouse.sql(origin)}")


@BOTH
def test_only_what_is_new_is_read(
    warehouse: Warehouse, target: Relation, origin: Relation, source: Query, verb: Increment
) -> None:
    first = load(warehouse, target, verb, source)
    grow(warehouse, origin, (3, at(3), 30))
    second = load(warehouse, target, verb, source)
    assert (first.staged, second.staged) == (2, 2), "the row at the watermark and the new one"
    assert warehouse.rows(target) == [(1, at(1), 10), (2, at(2), 20), (3, at(3), 30)]
    assert (first.watermark, second.watermark) == (
        "2026-01-02T12:02:00.000000",
        "2026-01-02T12:03:00.000000",
    )


@BOTH
def test_nr_10_rows_at_the_watermark_are_neither_lost_nor_doubled(
    warehouse: Warehouse, target: Relation, origin: Relation, source: Query, verb: Increment
) -> None:
    load(warehouse, target, verb, source)
    grow(warehouse, origin, (3, at(2), 30), (4, at(2), 40))
    for _ in range(3):
        load(warehouse, target, verb, source)
    assert [row[0] for row in warehouse.rows(target)] == [1, 2, 3, 4]


@BOTH
def test_nr_11_rows_that_were_committed_late_are_found_within_the_lag(
    warehouse: Warehouse, target: Relation, origin: Relation, source: Query, verb: Increment
) -> None:
    import msgspec

    lagging = msgspec.structs.replace(verb, lag=timedelta(minutes=5))
    grow(warehouse, origin, (3, at(10), 30))
    load(warehouse, target, lagging, source)
    grow(warehouse, origin, (4, at(5), 40), (5, at(4), 50))
    for _ in range(2):
        load(warehouse, target, lagging, source)
    assert [row[0] for row in warehouse.rows(target)] == [1, 2, 3, 4]


def test_nr_12_the_watermark_is_committed_with_the_rows(
    warehouse: Warehouse, target: Relation, source: Query
) -> None:
    """A load that fails in its last statement leaves neither rows nor a watermark."""
    runner = warehouse.runner
    execute = runner.execute

    def failing(sql: str, parameters: Any = ()) -> int:
        if sql.startswith("insert into") and "dataops_watermarks" in sql:
            raise KeyboardInterrupt
        return execute(sql, parameters)

    runner.execute = failing  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        load(warehouse, target, KEYED, source)
    runner.execute = execute  # type: ignore[method-assign]
    assert warehouse.rows(target) == []
    assert warehouse.rows(warehouse.relation("dataops_watermarks")) == []
    assert load(warehouse, target, KEYED, source).staged == 2


def test_nr_12_an_older_batch_does_not_set_the_watermark_back(
    warehouse: Warehouse, target: Relation, origin: Relation, source: Query
) -> None:
    load(warehouse, target, KEYED, source)
    marks = warehouse.rows(warehouse.relation("dataops_watermarks"))
    warehouse.runner.execute(f"delete from {warehouse.sql(origin)} where id = 2")
    lagging = Increment(cursor="at", keys=("id",), lag=timedelta(hours=1))
    tuesday = Attempt(owner="shop.orders", run_id="tuesday")
    assert load(warehouse, target, lagging, source, attempt=tuesday).staged == 1
    assert warehouse.rows(warehouse.relation("dataops_watermarks")) == marks


def test_numbers_grow_past_their_number_of_digits(warehouse: Warehouse) -> None:
    """Watermarks are compared as what they are: 10 is more than 9."""
    columns = {"nr": "bigint"}
    target, origin = warehouse.table("t", columns), warehouse.table("o", columns, [(9,)])
    from airflow_dataops.core.loads.sources import Query

    source = Query(sql=f"select * from {warehouse.sql(origin)}")
    verb = Increment(cursor="nr", lag=1)
    load(warehouse, target, verb, source)
    warehouse.add(origin, ("nr",), [(8,), (7,), (10,), (100,)])
    assert load(warehouse, target, verb, source).watermark == "100"
    assert warehouse.rows(target) == [(8,), (9,), (10,), (100,)]
    warehouse.add(origin, ("nr",), [(98,), (99,)])
    load(warehouse, target, verb, source)
    assert warehouse.rows(target) == [(8,), (9,), (10,), (99,), (100,)]


def test_days_grow(warehouse: Warehouse) -> None:
    columns = {"day": "date", "n": "int"}
    rows = [(date(2026, 1, 1), 1), (date(2026, 1, 2), 2)]
    target, source = warehouse.table("t", columns), warehouse.source(columns, rows)
    verb = Increment(cursor="day", lag=timedelta(hours=1))
    for staged in (2, 2):
        assert load(warehouse, target, verb, source).staged == staged
    assert warehouse.rows(target) == rows


def test_nr_13_times_with_a_zone(warehouse: Warehouse) -> None:
    columns = {"id": "int", "at": "zoned"}
    early, late = at(0).replace(tzinfo=UTC), at(5).replace(tzinfo=UTC)
    target = warehouse.table("t", columns)
    source = warehouse.source(columns, [(1, early), (2, late)])
    first = load(warehouse, target, KEYED, source)
    assert first.watermark == "2026-01-02T12:05:00.000000+00:00"
    assert load(warehouse, target, KEYED, source).staged == 1


def test_nr_13_a_cursor_of_another_kind_than_the_column_is_refused(
    warehouse: Warehouse, target: Relation
) -> None:
    zoned = warehouse.source({"id": "int", "at": "zoned"}, [(1, at(0).replace(tzinfo=UTC))])
    with pytest.raises(RunError, match=r"at is (?i:timestamp( with time zone|_tz)?) in"):
        load(warehouse, target, KEYED, zoned)


def test_nr_13_a_watermark_that_has_lost_its_zone_is_adapted_and_said(
    warehouse: Warehouse, target: Relation, source: Query, caplog: pytest.LogCaptureFixture
) -> None:
    load(warehouse, target, KEYED, source)
    marks = warehouse.sql(warehouse.relation("dataops_watermarks"))
    warehouse.runner.execute(f"update {marks} set watermark = '2026-01-02T12:02:00+00:00'")
    with caplog.at_level(logging.WARNING):
        assert load(warehouse, target, KEYED, source).staged == 1
    assert "converted to UTC" in caplog.text


@BOTH
def test_nr_14_null_cursors_are_refused(
    warehouse: Warehouse, target: Relation, origin: Relation, source: Query, verb: Increment
) -> None:
    load(warehouse, target, verb, source)
    grow(warehouse, origin, (3, None, 30))
    with pytest.raises(RunError, match=r"1 of 2 staged rows have NULL in the cursor \(at\)"):
        load(warehouse, target, verb, source)
    assert len(warehouse.rows(target)) == 2


@pytest.mark.parametrize("reads_all", [False, True], ids=["query", "source that cannot filter"])
def test_nr_14_null_cursors_are_left_out_on_request(
    warehouse: Warehouse, target: Relation, origin: Relation, source: Query, reads_all: bool
) -> None:
    grow(warehouse, origin, (3, None, 30))
    for verb in (
        Increment(cursor="at", null_cursor=NullCursor.EXCLUDE),
        Increment(cursor="at", null_cursor=NullCursor.EXCLUDE, keys=("id",)),
    ):
        load(warehouse, target, verb, Unfiltered(source) if reads_all else source)
        assert [row[0] for row in warehouse.rows(target)] == [1, 2]


def test_nr_14_null_cursors_are_taken_each_time_on_request(
    warehouse: Warehouse, target: Relation, origin: Relation, source: Query
) -> None:
    grow(warehouse, origin, (3, None, 30))
    verb = Increment(cursor="at", keys=("id",), null_cursor=NullCursor.INCLUDE)
    for _ in range(2):
        load(warehouse, target, verb, source)
    assert [row[0] for row in warehouse.rows(target)] == [1, 2, 3]
    with pytest.raises(ConfigError, match="Name keys"):
        load(warehouse, target, Increment(cursor="at", null_cursor=NullCursor.INCLUDE), source)


class Unfiltered:
    """A source that cannot tell which rows are new, as a file."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self.placement = query.placement
        self.stage = query.stage

    def since(self, since: object) -> Unfiltered:
        return self


@BOTH
def test_a_source_that_cannot_filter_loads_the_same(
    warehouse: Warehouse, target: Relation, origin: Relation, source: Query, verb: Increment
) -> None:
    load(warehouse, target, verb, Unfiltered(source))
    grow(warehouse, origin, (3, at(3), 30))
    for _ in range(2):
        load(warehouse, target, verb, Unfiltered(source))
    assert [row[0] for row in warehouse.rows(target)] == [1, 2, 3]


def test_the_row_of_a_key_that_changed_last_wins(
    warehouse: Warehouse, target: Relation, origin: Relation, source: Query
) -> None:
    load(warehouse, target, KEYED, source)
    grow(warehouse, origin, (1, at(5), 12), (1, at(4), 11))
    load(warehouse, target, KEYED, source)
    assert warehouse.rows(target) == [(1, at(5), 12), (2, at(2), 20)]


def test_each_partition_has_a_watermark_of_its_own(warehouse: Warehouse) -> None:
    """A country that comes late is read from its beginning; NULL is one, too."""
    columns = {"country": "text", "at": "time", "n": "int"}
    target = warehouse.table("t", columns)
    rows = [("de", at(30), 1), (None, at(20), 2), ("fr", at(10), 3)]
    origin = warehouse.table("origin", columns, rows)
    from airflow_dataops.core.loads.sources import Query

    source = Query(sql=f"select * from {warehouse.sql(origin)}")
    verb = Increment(cursor="at", per=("country",))
    load(warehouse, target, verb, source)
    new = [("de", at(29), 4), ("fr", at(11), 5), ("es", at(1), 6), (None, at(21), 7)]
    warehouse.add(origin, tuple(columns), new)
    result = load(warehouse, target, verb, source)
    load(warehouse, target, verb, source)
    assert sorted(row[2] for row in warehouse.rows(target)) == [1, 2, 3, 5, 6, 7]
    marks = json.loads(result.watermark or "")
    assert {scope: mark[14:16] for scope, mark in marks.items()} == {
        '["de"]': "30", '["es"]': "01", '["fr"]': "11", "[null]": "21",
    }  # fmt: skip


def test_loads_of_different_partitions_have_watermarks_of_their_own(
    warehouse: Warehouse, target: Relation, source: Query
) -> None:
    load(warehouse, target, KEYED, source, partition="shop 1")
    assert load(warehouse, target, KEYED, source, partition="shop 2").staged == 2


def test_a_query_with_values_and_percents_of_its_own(
    warehouse: Warehouse, target: Relation, origin: Relation
) -> None:
    from airflow_dataops.core.loads.sources import Query

    mark = warehouse.runner.placeholder
    bare = Query(sql=f"select * from {warehouse.sql(origin)} where 'a%b' like 'a%'")
    percent = "%%" if mark == "%s" else "%"
    bound = Query(
        sql=f"select * from {warehouse.sql(origin)} where 'a{percent}b' like {mark}",
        parameters=("a%",),
    )
    for source in (bare, bound, bare, bound):
        load(warehouse, target, KEYED, source)
    assert len(warehouse.rows(target)) == 2


@pytest.mark.parametrize(
    ("verb", "message"),
    [
        (Increment(cursor="when"), "when"),
        (Increment(cursor="at", lag=3), "give a timedelta for a time"),
    ],
    ids=["missing cursor", "lag of another kind"],
)
def test_wrong_settings_are_named(
    warehouse: Warehouse, target: Relation, source: Query, verb: Increment, message: str
) -> None:
    load(warehouse, target, KEYED, source)
    with pytest.raises(Exception, match=message):
        load(warehouse, target, verb, source)
