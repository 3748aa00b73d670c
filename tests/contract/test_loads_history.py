"""History, on every engine. Numbers are those of the conformance list."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.loads.specs import (
    Drift,
    History,
    HistoryColumns,
    Missing,
    NullKeys,
    OnEmpty,
)
from airflow_dataops.errors import ConfigError, RunError
from tests.contract.loading import load

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

TIMES = {"valid_from": "time", "valid_to": "time", "is_current": "bool"}
KEPT = {"id": "int", "name": "text"}
ROWS = KEPT | {"at": "time"}
VERB = History(keys=("id",), effective_at="at")


def day(number: int) -> datetime:
    return datetime(2026, 1, number)


@pytest.fixture
def history(warehouse: Warehouse) -> Relation:
    return warehouse.table("history", KEPT | TIMES)


def record(
    warehouse: Warehouse, history: Relation, *rows: tuple[Any, ...], verb: History = VERB
) -> None:
    load(warehouse, history, verb, warehouse.source(ROWS, rows))


def versions(warehouse: Warehouse, history: Relation) -> list[tuple[Any, ...]]:
    """Return key, name, first and last day of each version; 0 while it is current."""
    found = warehouse.rows(history, "id", "valid_from", "valid_to", "name", "is_current")
    assert all((end is None) is current for _, _, end, _, current in found)
    return [(i, n, a.day, 0 if b is None else b.day) for i, a, b, n, _ in found]


def test_a_change_begins_a_new_version(warehouse: Warehouse, history: Relation) -> None:
    record(warehouse, history, (1, "a", day(1)), (2, "x", day(1)))
    for _ in range(2):
        record(warehouse, history, (1, "b", day(3)), (2, "x", day(4)))
    assert versions(warehouse, history) == [(1, "a", 1, 3), (1, "b", 3, 0), (2, "x", 1, 0)]


def test_several_versions_in_one_batch(warehouse: Warehouse, history: Relation) -> None:
    record(warehouse, history, (1, "c", day(5)), (1, "a", day(1)), (1, "a", day(2)))
    assert versions(warehouse, history) == [(1, "a", 1, 5), (1, "c", 5, 0)]


def test_nr_11_a_late_row_takes_its_place(warehouse: Warehouse, history: Relation) -> None:
    record(warehouse, history, (1, "a", day(1)))
    record(warehouse, history, (1, "c", day(5)))
    for _ in range(2):
        record(warehouse, history, (1, "b", day(3)))
    assert versions(warehouse, history) == [(1, "a", 1, 3), (1, "b", 3, 5), (1, "c", 5, 0)]


def test_a_late_row_before_all_others(warehouse: Warehouse, history: Relation) -> None:
    record(warehouse, history, (1, "b", day(3)))
    record(warehouse, history, (1, "b", day(2)))
    assert versions(warehouse, history) == [(1, "b", 2, 0)]
    record(warehouse, history, (1, "a", day(1)))
    assert versions(warehouse, history) == [(1, "a", 1, 2), (1, "b", 2, 0)]


def test_a_late_row_that_equals_the_next_version_moves_its_beginning(
    warehouse: Warehouse, history: Relation
) -> None:
    record(warehouse, history, (1, "a", day(1)), (1, "b", day(5)))
    record(warehouse, history, (1, "b", day(3)))
    assert versions(warehouse, history) == [(1, "a", 1, 3), (1, "b", 3, 0)]


def test_a_correction_of_the_same_time_replaces_the_version(
    warehouse: Warehouse, history: Relation
) -> None:
    record(warehouse, history, (1, "a", day(1)), (1, "b", day(3)))
    record(warehouse, history, (1, "z", day(3)))
    assert versions(warehouse, history) == [(1, "a", 1, 3), (1, "z", 3, 0)]


def test_a_change_to_null_and_back_is_a_change(warehouse: Warehouse, history: Relation) -> None:
    record(warehouse, history, (1, "a", day(1)), (1, None, day(2)), (1, None, day(3)))
    record(warehouse, history, (1, "a", day(4)))
    assert versions(warehouse, history) == [(1, "a", 1, 2), (1, None, 2, 4), (1, "a", 4, 0)]


def test_only_compared_columns_begin_versions(warehouse: Warehouse) -> None:
    target = warehouse.table("h", KEPT | {"seen": "int"} | TIMES)
    verb = History(keys=("id",), effective_at="at", compare_columns=("name",))
    columns = KEPT | {"seen": "int", "at": "time"}
    load(warehouse, target, verb, warehouse.source(columns, [(1, "a", 1, day(1))]))
    load(warehouse, target, verb, warehouse.source(columns, [(1, "a", 2, day(2))]))
    assert len(warehouse.rows(target)) == 1


def picture(at: int) -> History:
    return History(
        keys=("id",),
        effective_at="at",
        missing=Missing.CLOSE,
        closed_at=day(at),
        on_empty=OnEmpty.WRITE,
    )


def test_missing_keys_end_with_a_full_picture(warehouse: Warehouse, history: Relation) -> None:
    record(warehouse, history, (1, "a", day(1)), (2, "x", day(1)), verb=picture(2))
    for _ in range(2):
        record(warehouse, history, (1, "a", day(1)), verb=picture(5))
    assert versions(warehouse, history) == [(1, "a", 1, 0), (2, "x", 1, 5)]
    record(warehouse, history, verb=picture(6))
    assert versions(warehouse, history) == [(1, "a", 1, 6), (2, "x", 1, 5)]


def test_a_key_that_comes_back_begins_again_and_leaves_a_gap(
    warehouse: Warehouse, history: Relation
) -> None:
    """Also where its row says that it has not changed since before it was gone."""
    record(warehouse, history, (1, "a", day(1)), verb=picture(2))
    record(warehouse, history, verb=picture(5))
    for _ in range(2):
        record(warehouse, history, (1, "a", day(1)), verb=picture(7))
        record(warehouse, history, (1, "a", day(1)), verb=picture(9))
    assert versions(warehouse, history) == [(1, "a", 1, 5), (1, "a", 7, 0)]
    record(warehouse, history, (1, "b", day(8)), verb=picture(9))
    assert versions(warehouse, history) == [(1, "a", 1, 5), (1, "a", 7, 8), (1, "b", 8, 0)]


def test_a_late_row_does_not_open_what_has_ended(warehouse: Warehouse, history: Relation) -> None:
    record(warehouse, history, (1, "a", day(1)), verb=picture(2))
    record(warehouse, history, verb=picture(5))
    record(warehouse, history, (1, "b", day(3)))
    assert versions(warehouse, history) == [(1, "a", 1, 3), (1, "b", 3, 5)]


def test_columns_of_the_history_that_the_source_lacks_are_kept(warehouse: Warehouse) -> None:
    target = warehouse.table("h", KEPT | TIMES | {"ours": "int"})
    record(warehouse, target, (1, "a", day(1)))
    warehouse.runner.execute(f"update {warehouse.sql(target)} set ours = 7")
    record(warehouse, target, (1, "b", day(2)))
    assert [row[0] for row in warehouse.rows(target, "ours")] == [7, None]


def test_names_of_the_times_can_be_chosen(warehouse: Warehouse) -> None:
    names = HistoryColumns(valid_from="at", valid_to="until", is_current="live")
    target = warehouse.table("h", KEPT | {"at": "time", "until": "time", "live": "bool"})
    verb = History(keys=("id",), effective_at="at", columns=names)
    for name, since in (("a", 1), ("b", 2), ("b", 2)):
        record(warehouse, target, (1, name, day(since)), verb=verb)
    assert [row[1:3] for row in warehouse.rows(target)] == [("a", day(1)), ("b", day(2))]


def test_nr_7_null_keys(warehouse: Warehouse, history: Relation) -> None:
    with pytest.raises(RunError, match="have NULL in the key"):
        record(warehouse, history, (None, "a", day(1)))
    verb = History(keys=("id",), effective_at="at", null_keys=NullKeys.MATCH)
    for _ in range(2):
        record(warehouse, history, (None, "a", day(1)), (None, "b", day(2)), verb=verb)
    assert versions(warehouse, history) == [(None, "a", 1, 2), (None, "b", 2, 0)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, "a", day(1)), (1, "b", day(1))], r"id = 1, at = .*\(2 rows\)"),
        ([(1, "a", None)], r"have NULL in effective_at \(at\)"),
    ],
    ids=["two at one time", "no time"],
)
def test_what_has_no_place_is_refused(
    warehouse: Warehouse, history: Relation, rows: list[tuple[Any, ...]], message: str
) -> None:
    with pytest.raises(RunError, match=message):
        record(warehouse, history, *rows)
    assert warehouse.rows(history) == []


def test_copies_in_one_batch_are_one(warehouse: Warehouse, history: Relation) -> None:
    record(warehouse, history, (1, "a", day(1)), (1, "a", day(1)))
    assert versions(warehouse, history) == [(1, "a", 1, 0)]


def test_a_picture_without_its_time_is_refused(warehouse: Warehouse, history: Relation) -> None:
    verb = History(keys=("id",), effective_at="at", missing=Missing.CLOSE)
    with pytest.raises(ConfigError, match="missing=close needs closed_at"):
        record(warehouse, history, (1, "a", day(1)), verb=verb)


def test_nr_15_new_columns_begin_versions(warehouse: Warehouse, history: Relation) -> None:
    record(warehouse, history, (1, "a", day(1)))
    source = warehouse.source(ROWS | {"size": "int"}, [(1, "a", day(2), 5)])
    load(warehouse, history, VERB, source, drift=Drift.ADD)
    assert [row[-1] for row in warehouse.rows(history)] == [None, 5]
