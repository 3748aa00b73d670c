"""Rows that are equal are rows: all of a run's are added, once for the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.loads.choices import Duplicates, EmptiedTarget
from airflow_dataops.core.loads.specs import Append, Attempt, Increment
from airflow_dataops.errors import ConfigError, RunError
from tests.contract.loading import load

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

LINES = {"n": "int", "text": "text", "x": "float"}
SAME = [(1, "a", 0.5)] * 3 + [(2, None, None)] * 2
KEEP = Append(duplicates=Duplicates.KEEP)


def attempt(run: str = "monday", number: int = 1, owner: str = "shop.lines") -> Attempt:
    return Attempt(owner=owner, run_id=run, try_number=number)


@pytest.fixture
def lines(warehouse: Warehouse) -> Relation:
    return warehouse.table("lines", LINES)


def test_equal_rows_are_all_added(warehouse: Warehouse, lines: Relation) -> None:
    result = load(warehouse, lines, KEEP, warehouse.source(LINES, SAME))
    assert (result.staged, warehouse.rows(lines)) == (5, SAME)


def test_a_run_adds_its_rows_once_however_often_it_is_tried(
    warehouse: Warehouse, lines: Relation, caplog: pytest.LogCaptureFixture
) -> None:
    """A retry, and a run that was cleared, whose source may even have other rows by now."""
    source = warehouse.source(LINES, SAME)
    load(warehouse, lines, KEEP, source, attempt=attempt())
    for number in (2, 3):
        again = warehouse.source(LINES, [*SAME, (9, "new", 1.0)])
        assert load(warehouse, lines, KEEP, again, attempt=attempt(number=number)).staged == 0
    assert warehouse.rows(lines) == SAME
    assert "try 1 of the run monday has added 5 rows, and this is try 3" in caplog.text
    load(warehouse, lines, KEEP, source, attempt=attempt("tuesday"))
    load(warehouse, lines, KEEP, source, attempt=attempt(owner="shop.other"))
    assert len(warehouse.rows(lines)) == 15


def test_a_try_that_dies_before_its_commit_is_made_good_by_the_next(
    warehouse: Warehouse, lines: Relation
) -> None:
    """The receipt is of the transaction of the rows: there are both or neither."""
    source, runner = warehouse.source(LINES, SAME), warehouse.runner
    execute = runner.execute

    def dying(sql: str, parameters: Any = ()) -> int:
        done = execute(sql, parameters)
        if sql.startswith("insert into") and "dataops_receipts" in sql:
            raise KeyboardInterrupt
        return done

    runner.execute = dying  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        load(warehouse, lines, KEEP, source, attempt=attempt())
    runner.execute = execute  # type: ignore[method-assign]
    assert warehouse.rows(lines) == []
    load(warehouse, lines, KEEP, source, attempt=attempt(number=2))
    assert warehouse.rows(lines) == SAME


def test_a_run_whose_rows_are_gone_adds_them_again_unless_they_were_removed_on_purpose(
    warehouse: Warehouse, lines: Relation
) -> None:
    source = warehouse.source(LINES, SAME)
    load(warehouse, lines, KEEP, source)
    warehouse.runner.execute(f"delete from {warehouse.sql(lines)} where true")
    load(warehouse, lines, KEEP, source, emptied_target=EmptiedTarget.CONTINUE)
    assert warehouse.rows(lines) == []
    with pytest.raises(RunError, match="has no rows, and try 1 of the run monday has added 5"):
        load(warehouse, lines, KEEP, source, emptied_target=EmptiedTarget.FAIL)
    load(warehouse, lines, KEEP, source)
    load(warehouse, lines, KEEP, source)
    assert warehouse.rows(lines) == SAME


def test_a_run_adds_its_rows_again_to_a_table_that_was_made_anew(warehouse: Warehouse) -> None:
    source, target = warehouse.source(LINES, SAME), warehouse.relation("made")
    for _ in range(2):
        load(warehouse, target, KEEP, source, create=True)
        load(warehouse, target, KEEP, source, create=True)
        assert warehouse.rows(target) == SAME
        warehouse.runner.execute(f"drop table {warehouse.sql(target)}")


def test_keys_and_every_row_do_not_go_together(warehouse: Warehouse, lines: Relation) -> None:
    verb = Append(keys=("n",), duplicates=Duplicates.KEEP)
    with pytest.raises(ConfigError, match="duplicates is keep, and keys name a row"):
        load(warehouse, lines, verb, warehouse.source(LINES, SAME))


def test_equal_rows_that_count_once_are_told(
    warehouse: Warehouse, lines: Relation, caplog: pytest.LogCaptureFixture
) -> None:
    load(warehouse, lines, Append(), warehouse.source(LINES, SAME))
    assert warehouse.rows(lines) == [(1, "a", 0.5), (2, None, None)]
    assert "3 of 5 staged rows are equal to another" in caplog.text


def test_an_increment_without_keys_has_as_many_copies_as_its_source(warehouse: Warehouse) -> None:
    """Rows at the watermark are read again: those that are there are not added again."""
    target, origin = warehouse.table("t", LINES), warehouse.table("origin", LINES, SAME)
    source = type(warehouse.source(LINES))(sql=f"select * from {warehouse.sql(origin)}")
    verb = Increment(cursor="n")
    for _ in range(2):
        load(warehouse, target, verb, source)
    assert warehouse.rows(target) == SAME
    late = [(2, None, None), (2, "b", 1.5), (2, "b", 1.5), (3, None, None)]
    warehouse.add(origin, tuple(LINES), late)
    for _ in range(2):
        load(warehouse, target, verb, source)
    assert warehouse.rows(target) == warehouse.rows(origin)
