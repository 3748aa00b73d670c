"""What sensors see of tables, on every engine alike; many are looked at as one is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.names import written
from airflow_dataops.core.health import watches
from airflow_dataops.core.health.watches import FreshWatch, RowsWatch, Seen, look

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from airflow_dataops.core.health.watches import Sight, Watch
    from airflow_dataops.core.ports import SqlRunner
    from tests.warehouses import Warehouse

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)
COLUMNS = {"id": "int", "day": "date", "at": "time", "zoned": "zoned", "name": "text"}
TIMES = [datetime(2026, 3, d, h, 30) for d in (27, 28, 29) for h in (0, 9, 23) if (d, h) < (29, 12)]
ROWS = [(n, t.date(), t, t.replace(tzinfo=UTC), f"n{n}") for n, t in enumerate(TIMES)]


class Counted:
    """Counts the statements of a session, and may refuse all."""

    def __init__(self, runner: SqlRunner, error: Exception | None = None) -> None:
        self._runner = runner
        self._error = error
        self.count = 0

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.count += 1
        if self._error is not None:
            raise self._error
        return self._runner.fetch(sql, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)


def fresh(table: str, column: str, hours: float, **more: Any) -> FreshWatch:
    return FreshWatch(table=table, column=column, max_age=hours * 3600, **more)


def named(warehouse: Warehouse, table: str) -> str:
    return written(warehouse.relation(table))


def seen(sights: Sequence[Sight]) -> list[Seen]:
    return [sight.seen for sight in sights]


def test_a_table_is_fresh_by_the_age_of_its_newest_row(warehouse: Warehouse) -> None:
    """The oracle is Python's arithmetic over the rows that were written."""
    warehouse.table("orders", COLUMNS, ROWS)
    name = named(warehouse, "orders")
    newest = TIMES[-1]
    asked: list[Watch] = []
    expected = []
    for hours in (0, 2, 2.5, 2.6, 11, 12, 13, 99):
        for column, at in (("at", newest), ("zoned", newest), ("day", datetime(2026, 3, 29))):
            asked.append(fresh(name, column, hours))
            age = NOW - at.replace(tzinfo=UTC)
            expected.append(Seen.MET if age <= timedelta(hours=hours) else Seen.WAITING)
    runner = Counted(warehouse.runner)
    assert seen(look(runner, asked, NOW)) == expected
    assert runner.count <= 3


def test_a_time_without_a_zone_is_of_the_zone_that_is_named(warehouse: Warehouse) -> None:
    warehouse.table("orders", COLUMNS, ROWS)
    name = named(warehouse, "orders")
    berlin = [fresh(name, each, 0.6, timezone="Europe/Berlin") for each in ("at", "zoned")]
    at = datetime(2026, 3, 29, 8, tzinfo=UTC)
    assert seen(look(warehouse.runner, berlin, at)) == [Seen.MET, Seen.MET]
    assert look(warehouse.runner, berlin, at)[0].mark == "2026-03-29T07:30:00+00:00"


def test_the_rows_of_a_day_are_those_of_that_day(warehouse: Warehouse) -> None:
    warehouse.table("orders", COLUMNS, ROWS)
    name = named(warehouse, "orders")
    days = [date(2026, 3, d) for d in (26, 27, 28, 29)]
    for column in ("day", "at", "zoned"):
        asked = [RowsWatch(table=name, column=column, day=day, min_rows=3) for day in days]
        counts = [sum(t.date() == day for t in TIMES) for day in days]
        sights = look(warehouse.runner, asked, NOW)
        assert [int(sight.mark or 0) for sight in sights] == counts, column
        assert seen(sights) == [Seen.MET if n >= 3 else Seen.WAITING for n in counts]


def test_what_is_wrong_with_one_is_told_of_it_alone(warehouse: Warehouse) -> None:
    warehouse.table("orders", COLUMNS, ROWS)
    warehouse.table("empty", COLUMNS, [])
    name = named(warehouse, "orders")
    sights = look(
        warehouse.runner,
        [
            RowsWatch(table=named(warehouse, "nowhere")),
            fresh(name, "no_such", 1),
            fresh(name, "name", 1),
            fresh("a.b.c.d.e", "at", 1),
            fresh(named(warehouse, "empty"), "at", 1),
            RowsWatch(table=named(warehouse, "empty"), min_rows=0),
            RowsWatch(table=name),
        ],
        NOW,
    )
    assert seen(sights) == [
        *(Seen.MISSING, Seen.WRONG, Seen.WRONG, Seen.WRONG),
        *(Seen.WAITING, Seen.MET, Seen.MET),
    ]
    assert "no_such" in sights[1].message
    assert "must be a date or a timestamp" in sights[2].message


def test_what_cannot_be_asked_is_neither_met_nor_missing(warehouse: Warehouse) -> None:
    down = Counted(warehouse.runner, ConnectionError("down"))
    name = named(warehouse, "orders")
    sights = look(down, [RowsWatch(table=name), fresh(name, "at", 1)], NOW)
    assert seen(sights) == [Seen.ERRORED, Seen.ERRORED]


def test_a_name_that_no_session_completes_is_wrong(warehouse: Warehouse) -> None:
    completes = get_engine(warehouse.dialect).lookup.home is not None
    [sight] = look(warehouse.runner, [RowsWatch(table="orders_of_nobody")], NOW)
    assert sight.seen is (Seen.MISSING if completes else Seen.WRONG)


def test_a_thousand_watches_are_ten_statements_and_the_listing(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks are made smaller here, so that the boundaries are met with few tables."""
    monkeypatch.setattr(watches, "CHUNK", 3)
    for n in range(7):
        warehouse.table(f"t{n}", {"id": "int"}, [(i,) for i in range(n)])
    asked = [RowsWatch(table=named(warehouse, f"t{n}")) for n in range(7)]
    runner = Counted(warehouse.runner)
    assert [sight.mark for sight in look(runner, asked, NOW)] == [str(n) for n in range(7)]
    assert runner.count <= 3 + 2
