"""What is no order is refused, and a tie is decided by choice, however batches are cut."""

from __future__ import annotations

import random
from datetime import date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.loads.choices import NonFinite, SameSequence, SameTime, TextOrder
from airflow_dataops.core.loads.specs import (
    Append,
    ApplyChanges,
    Drift,
    History,
    Increment,
    LoadPartition,
    Merge,
    Within,
)
from airflow_dataops.errors import ConfigError, RunError
from tests.contract.loading import load
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.loads.specs import Verb
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

ROWS = {"id": "int", "name": "text", "_sequence": "bigint"}
EVENTS = {"id": "int", "name": "text", "op": "text", "lsn": "bigint"}
CHANGES = ApplyChanges(keys=("id",), sequence="lsn")
SOFT = ApplyChanges(keys=("id",), sequence="lsn", soft_delete="gone")
NUMBERED = {"id": "int", "nr": "text"}
NINES, TENS = "99999999", "100000001"
TIMES = {"valid_from": "time", "valid_to": "time", "is_current": "bool"}


@pytest.mark.parametrize(
    ("verb", "columns", "row"),
    [
        (CHANGES, {"id": "int", "op": "text", "lsn": "text"}, (1, "u", NINES)),
        (Merge(keys=("id",), order_by=("nr",)), NUMBERED, (1, NINES)),
        (Append(keys=("id",), order_by=("nr",)), NUMBERED, (1, NINES)),
        (Increment(cursor="id", keys=("id",), order_by=("nr",)), NUMBERED, (1, NINES)),
        (Increment(cursor="nr"), NUMBERED, (1, NINES)),
        (History(keys=("id",), effective_at="nr"), NUMBERED, (1, "2026-01-01")),
    ],
    ids=["sequence", "merge", "append", "increment", "cursor", "effective_at"],
)
def test_texts_are_no_order(
    warehouse: Warehouse, verb: Verb, columns: dict[str, str], row: tuple[Any, ...]
) -> None:
    """As texts '99999999' is later than '100000001'."""
    target = warehouse.table("t", {"id": "int", "nr": "text", "_sequence": "bigint", **TIMES})
    other = tuple(TENS if value == NINES else value for value in row)
    source = warehouse.source(columns, [row, other])
    with pytest.raises(RunError, match=r"is an order, and (nr|lsn) is .*Cast it in the query"):
        load(warehouse, target, verb, source)
    assert warehouse.rows(target) == []


def test_a_range_of_texts_is_no_range(warehouse: Warehouse) -> None:
    target = warehouse.table("t", NUMBERED)
    verb = LoadPartition(within=Within(column="nr", start=9, end=100))
    with pytest.raises(RunError, match="the range is an order, and nr is"):
        load(warehouse, target, verb, warehouse.source(NUMBERED, [(1, "10")]))


def test_texts_are_numbers_by_choice(warehouse: Warehouse) -> None:
    target = warehouse.table("t", NUMBERED)
    rows = [(1, NINES), (1, TENS), (2, "9"), (2, "10"), (2, None)]
    verb = Merge(keys=("id",), order_by=("nr",), text_order=TextOrder.NUMBER)
    load(warehouse, target, verb, warehouse.source(NUMBERED, rows))
    assert warehouse.rows(target) == [(1, TENS), (2, "10")]
    with pytest.raises(RunError, match=r"1 of 2 staged rows have in order_by \(nr\) no whole"):
        load(warehouse, target, verb, warehouse.source(NUMBERED, [(1, "1.5"), (1, "8")]))


def test_a_sequence_of_texts_is_one_of_numbers_by_choice(warehouse: Warehouse) -> None:
    columns = {"id": "int", "name": "text", "op": "text", "lsn": "text"}
    verb = ApplyChanges(keys=("id",), sequence="lsn", text_order=TextOrder.NUMBER)
    target = warehouse.relation("made")
    for name, lsn in (("new", TENS), ("old", NINES)):
        source = warehouse.source(columns, [(1, name, "u", lsn)])
        load(warehouse, target, verb, source, create=True)
    assert warehouse.rows(target, "id", "name") == [(1, "new")]


def test_a_column_of_texts_keeps_no_sequence(warehouse: Warehouse) -> None:
    """Such a table may be there since a version that took it."""
    target = warehouse.table("t", ROWS | {"_sequence": "text"}, [(1, "new", TENS)])
    with pytest.raises(RunError, match=r"keeps sequences and is .*give it a number's"):
        load(warehouse, target, CHANGES, warehouse.source(EVENTS, [(1, "old", "u", 9)]))


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize(
    ("verb", "setting"),
    [
        (ApplyChanges(keys=("id",), sequence="x"), "sequence"),
        (Merge(keys=("id",), order_by=("x",)), "order_by"),
        (Append(keys=("id",), order_by=("x",)), "order_by"),
        (History(keys=("id",), effective_at="x"), "effective_at"),
        (Increment(cursor="x"), "the cursor"),
    ],
    ids=["sequence", "merge", "append", "history", "cursor"],
)
def test_nothing_comes_after_what_is_not_finite(
    warehouse: Warehouse, verb: Verb, setting: str, value: str
) -> None:
    columns = {"id": "int", "op": "text", "x": "float"}
    given = {name: "float" if name.startswith("valid") else kind for name, kind in TIMES.items()}
    target = warehouse.table("t", {"id": "int", "op": "text", "_sequence": "float", **given})
    source = warehouse.source(columns, [(1, "u", float(value)), (1, "u", 1.0)])
    with pytest.raises(RunError, match=rf"1 of 2 staged rows have NaN or an infin.*{setting}"):
        load(warehouse, target, verb, source, drift=Drift.IGNORE)
    assert warehouse.rows(target) == []


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
@pytest.mark.parametrize("kind", ["date", "time", "zoned"])
def test_infinite_times_are_no_watermark(engine: str, kind: str) -> None:
    """Rows that came after one would never be read."""
    with open_warehouse(engine) as warehouse:
        target = warehouse.table("t", {"id": "int", "at": kind})
        origin = warehouse.table("origin", {"id": "int", "at": kind})
        sql = f"insert into {warehouse.sql(origin)} values (1, 'infinity'), (2, '2026-01-02')"
        warehouse.runner.execute(sql)
        source = type(warehouse.source({"id": "int"}))(sql=f"select * from {warehouse.sql(origin)}")
        with pytest.raises(RunError, match="infinite value in the cursor"):
            load(warehouse, target, Increment(cursor="at"), source)
        verb = Increment(cursor="at", nonfinite_cursor=NonFinite.EXCLUDE)
        assert "2026-01-02" in (load(warehouse, target, verb, source).watermark or "")
        warehouse.runner.execute(
            f"insert into {warehouse.sql(origin)} values (3, '2026-01-03'), (4, '-infinity')"
        )
        load(warehouse, target, verb, source)
        assert warehouse.rows(target, "id") == [(2,), (3,)]
        every = Increment(cursor="at", keys=("id",), nonfinite_cursor=NonFinite.INCLUDE)
        load(warehouse, target, every, source)
        assert warehouse.rows(target, "id") == [(1,), (2,), (3,), (4,)]


def test_cursors_that_are_not_finite_are_taken_or_left_by_choice(warehouse: Warehouse) -> None:
    columns = {"id": "int", "x": "float"}
    target = warehouse.table("t", columns)
    origin = warehouse.table("origin", columns, [(1, 1.0), (2, float("nan")), (3, float("inf"))])
    source = type(warehouse.source(columns))(sql=f"select * from {warehouse.sql(origin)}")
    left = Increment(cursor="x", nonfinite_cursor=NonFinite.EXCLUDE)
    assert float(load(warehouse, target, left, source).watermark or "") == 1.0
    warehouse.add(origin, tuple(columns), [(4, 2.0), (5, float("-inf"))])
    load(warehouse, target, left, source)
    assert warehouse.rows(target, "id") == [(1,), (4,)]
    taken = Increment(cursor="x", keys=("id",), nonfinite_cursor=NonFinite.INCLUDE)
    for _ in range(2):
        load(warehouse, target, taken, source)
    assert warehouse.rows(target, "id") == [(1,), (2,), (3,), (4,), (5,)]
    verb = Increment(cursor="x", nonfinite_cursor=NonFinite.INCLUDE)
    with pytest.raises(ConfigError, match="NaN or infinite are read by each load; without keys"):
        load(warehouse, target, verb, source)


@pytest.mark.parametrize("verb", [CHANGES, SOFT], ids=["hard", "soft"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((1, "a", "u", 20), (1, "b", "u", 20)),
        ((1, "a", "u", 20), (1, None, "d", 20)),
        ((1, None, "d", 20), (1, "b", "u", 20)),
        ((9, None, "d", 20), (9, "b", "u", 20)),
    ],
    ids=["update", "delete", "deleted", "unknown and deleted"],
)
def test_an_event_of_a_sequence_that_was_loaded_is_told_in_a_later_batch_as_in_one(
    warehouse: Warehouse,
    verb: ApplyChanges,
    first: tuple[Any, ...],
    second: tuple[Any, ...],
) -> None:
    columns = ROWS | ({"gone": "bool"} if verb is SOFT else {})
    one, two = warehouse.table("one", columns), warehouse.table("two", columns)
    seed = [(1, "z", "c", 10)]
    for target in (one, two):
        load(warehouse, target, verb, warehouse.source(EVENTS, seed))
    with pytest.raises(RunError, match="different staged rows have the same key"):
        load(warehouse, one, verb, warehouse.source(EVENTS, [first, second]))
    load(warehouse, two, verb, warehouse.source(EVENTS, [first]))
    load(warehouse, two, verb, warehouse.source(EVENTS, [first]))  # delivered again, it is no news
    loaded = warehouse.rows(two)
    with pytest.raises(RunError, match=rf"id = {first[0]}, _sequence = 20"):
        load(warehouse, two, verb, warehouse.source(EVENTS, [second]))
    assert warehouse.rows(two) == loaded


@pytest.mark.parametrize(
    ("choice", "expected"), [(SameSequence.FIRST, "a"), (SameSequence.LAST, "b")]
)
def test_the_first_or_the_last_of_a_sequence_wins_by_choice(
    warehouse: Warehouse, choice: SameSequence, expected: str
) -> None:
    target = warehouse.table("t", ROWS)
    verb = ApplyChanges(keys=("id",), sequence="lsn", same_sequence=choice)
    for name in "ab":
        load(warehouse, target, verb, warehouse.source(EVENTS, [(1, name, "u", 20)]))
    assert warehouse.rows(target) == [(1, expected, 20)]


def test_a_version_is_corrected_unless_that_is_refused(warehouse: Warehouse) -> None:
    columns, at = {"id": "int", "name": "text", "at": "time"}, datetime(2026, 1, 1)
    target = warehouse.table("t", {"id": "int", "name": "text", **TIMES})
    strict = History(keys=("id",), effective_at="at", same_time=SameTime.REFUSE)
    for _ in range(2):
        load(warehouse, target, strict, warehouse.source(columns, [(1, "a", at)]))
    other = warehouse.source(columns, [(1, "b", at)])
    with pytest.raises(RunError, match="rows differ from the versions that begin at their time"):
        load(warehouse, target, strict, other)
    assert warehouse.rows(target, "name") == [("a",)]
    load(warehouse, target, History(keys=("id",), effective_at="at"), other)
    assert warehouse.rows(target, "name") == [("b",)]


# However events are cut into batches, the table is the same, or a load refuses.


def cut(events: Sequence[tuple[Any, ...]], chance: random.Random) -> list[list[tuple[Any, ...]]]:
    """Shuffle events, deliver some of them again, and cut them at random places."""
    told = [*events, *chance.choices(events, k=3)]
    chance.shuffle(told)
    places = sorted({0, len(told), *chance.choices(range(len(told)), k=chance.randint(0, 4))})
    return [told[start:end] for start, end in pairwise(places)]


def applied(warehouse: Warehouse, name: str, verb: ApplyChanges, batches: Any) -> Any:
    """Return the live rows after all batches; None if one of them was refused."""
    target: Relation = warehouse.table(name, ROWS | {"gone": "bool"})
    try:
        for batch in batches:
            load(warehouse, target, verb, warehouse.source(EVENTS, batch))
    except RunError:
        return None
    finally:
        found = warehouse.rows(target, "id", "name", "gone")
        for table in (name, f"{name}__tombstones"):
            drop = f"drop table {warehouse.sql(warehouse.relation(table))}"
            warehouse.runner.execute(drop)
    return [row[:2] for row in found if not row[2]]


def cuts(engine: str, seeds: range, ways: int) -> None:
    with open_warehouse(engine) as warehouse:
        for seed in seeds:
            chance = random.Random(seed)
            events = [
                (chance.randint(1, 3), chance.choice("ab"), chance.choice("cud"), lsn)
                for lsn in chance.sample(range(1, 40), 7)
            ]
            if seed % 2:  # two that contradict each other
                number, name, op, lsn = max(events, key=lambda event: event[3])
                events.append((number, f"{name}'", "u" if op == "d" else op, lsn))
            last = {event[0]: event for event in sorted(events, key=lambda event: event[3])}
            live = sorted((e[0], e[1]) for e in last.values() if e[2] != "d")
            verb = SOFT if seed % 3 else CHANGES
            for way in range(ways):
                found = applied(warehouse, f"c{seed}_{way}", verb, cut(events, chance))
                assert found == (None if seed % 2 else live), (seed, way, events)


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_any_cut_of_events_gives_the_same_rows_or_is_refused(engine: str) -> None:
    cuts(engine, range(2), 2)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_any_of_many_cuts_of_events_gives_the_same_rows_or_is_refused(engine: str) -> None:
    cuts(engine, range(10, 60), 3)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["bigquery", "snowflake"])
def test_any_cut_of_events_gives_the_same_rows_on_emulators(engine: str) -> None:
    cuts(engine, range(2), 1)


def test_days_are_an_order(warehouse: Warehouse) -> None:
    """What has an order still goes: a day, a time, a number."""
    columns = {"id": "int", "day": "date"}
    target = warehouse.table("t", columns)
    rows = [(1, date(2026, 1, 9)), (1, date(2026, 1, 10))]
    load(warehouse, target, Merge(keys=("id",), order_by=("day",)), warehouse.source(columns, rows))
    assert warehouse.rows(target) == rows[1:]
