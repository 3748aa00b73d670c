"""A watermark is of one load and of one table: it is not shared, and does not outlive its rows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.loads.choices import EmptiedTarget, Reading
from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.loads.specs import ApplyChanges, Attempt, Increment
from airflow_dataops.errors import ConfigError, RunError
from tests.contract.loading import load

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

EVENTS = {"id": "int", "at": "time"}
BY_KEY = Increment(cursor="at", keys=("id",))
UNKEYED = Increment(cursor="at")
NAMED = Increment(cursor="at", keys=("id",), watermark_name="events")
BOTH = pytest.mark.parametrize("verb", [BY_KEY, UNKEYED], ids=["by key", "by all columns"])


def at(minute: int) -> datetime:
    return datetime(2026, 1, 2, 12, minute)


def by(owner: str, run: str = "monday") -> Attempt:
    return Attempt(owner=owner, run_id=run)


@pytest.fixture
def target(warehouse: Warehouse) -> Relation:
    return warehouse.table("events", EVENTS)


@pytest.fixture
def early(warehouse: Warehouse) -> Query:
    return origin(warehouse, "early", (1, at(1)), (2, at(2)))


@pytest.fixture
def late(warehouse: Warehouse) -> Query:
    return origin(warehouse, "late", (3, at(30)), (4, at(40)))


def origin(warehouse: Warehouse, name: str, *rows: tuple[Any, ...]) -> Query:
    return warehouse.source(EVENTS, rows, name=name)


def ids(warehouse: Warehouse, relation: Relation) -> list[int]:
    return [row[0] for row in warehouse.rows(relation, "id")]


@BOTH
def test_two_loads_of_one_table_have_watermarks_of_their_own(
    warehouse: Warehouse, target: Relation, early: Query, late: Query, verb: Increment
) -> None:
    load(warehouse, target, verb, late, attempt=by("shop.late"))
    load(warehouse, target, verb, early, attempt=by("shop.early"))
    assert ids(warehouse, target) == [1, 2, 3, 4]
    staged = [load(warehouse, target, verb, late, attempt=by("shop.late", "tuesday")).staged]
    staged += [load(warehouse, target, verb, early, attempt=by("shop.early", "tuesday")).staged]
    assert staged == [1, 1], "each goes on from its own"


def test_a_task_that_reads_another_source_reads_it_from_its_beginning(
    warehouse: Warehouse, target: Relation, early: Query, late: Query
) -> None:
    load(warehouse, target, BY_KEY, late)
    load(warehouse, target, BY_KEY, early)
    assert ids(warehouse, target) == [1, 2, 3, 4]


def test_mapped_instances_of_a_task_are_told_apart_by_their_source(
    warehouse: Warehouse, target: Relation, early: Query, late: Query
) -> None:
    """The next run may map the sources otherwise."""
    load(warehouse, target, BY_KEY, late, attempt=by("shop.all[0]"))
    load(warehouse, target, BY_KEY, early, attempt=by("shop.all[0]", "tuesday"))
    again = load(warehouse, target, BY_KEY, late, attempt=by("shop.all[1]", "tuesday"))
    assert (ids(warehouse, target), again.staged) == ([1, 2, 3, 4], 1)


def test_a_named_watermark_outlives_the_name_of_the_task_and_the_query(
    warehouse: Warehouse,
    target: Relation,
    late: Query,
    caplog: pytest.LogCaptureFixture,
) -> None:
    load(warehouse, target, NAMED, late, attempt=by("shop.old"))
    assert load(warehouse, target, NAMED, late, attempt=by("shop.new")).staged == 1
    assert "'events' was that of shop.old" in caplog.text
    other = Query(sql=f"{late.sql} where id > 0")
    assert load(warehouse, target, NAMED, other, attempt=by("shop.new")).staged == 1


def test_two_loads_that_give_one_name_to_their_watermarks_are_told(
    warehouse: Warehouse, target: Relation, early: Query, late: Query
) -> None:
    load(warehouse, target, NAMED, late, attempt=by("shop.late"))
    with pytest.raises(ConfigError, match=r"'events' is that of shop\.late, which reads another"):
        load(warehouse, target, NAMED, early, attempt=by("shop.early"))
    assert ids(warehouse, target) == [3, 4]


def test_the_watermark_of_an_earlier_version_is_taken_over_by_one_load_and_told(
    warehouse: Warehouse,
    target: Relation,
    early: Query,
    late: Query,
    caplog: pytest.LogCaptureFixture,
) -> None:
    load(warehouse, target, BY_KEY, late)
    marks = warehouse.sql(warehouse.relation("dataops_watermarks"))
    warehouse.runner.execute(f"update {marks} set {quoted(warehouse, 'cursor')} = 'at'")
    assert load(warehouse, target, BY_KEY, late).staged == 1
    assert "took over the watermark (2026-01-02T12:40:00.000000) of an earlier" in caplog.text
    caplog.clear()
    assert load(warehouse, target, BY_KEY, late).staged == 1
    assert load(warehouse, target, BY_KEY, early, attempt=by("shop.early")).staged == 2
    assert "took over" not in caplog.text


def quoted(warehouse: Warehouse, name: str) -> str:
    from airflow_dataops.core.engines.identifiers import quote

    return quote(name, warehouse.dialect)


def test_the_watermark_of_an_earlier_version_that_nothing_is_past_is_told(
    warehouse: Warehouse,
) -> None:
    columns = {"id": "int", "x": "float"}
    target = warehouse.table("t", columns)
    source = warehouse.source(columns, [(1, 1.0), (2, 2.0)])
    load(warehouse, target, Increment(cursor="x"), source)
    marks = warehouse.sql(warehouse.relation("dataops_watermarks"))
    warehouse.runner.execute(
        f"update {marks} set watermark = 'nan', {quoted(warehouse, 'cursor')} = 'x'"
    )
    with pytest.raises(RunError, match=r"a watermark is 'nan'.*reading='all'"):
        load(warehouse, target, Increment(cursor="x"), source)
    assert load(warehouse, target, Increment(cursor="x", reading=Reading.ALL), source).staged == 2
    assert load(warehouse, target, Increment(cursor="x"), source).staged == 1


@BOTH
@pytest.mark.parametrize("how", ["emptied", "dropped"])
def test_a_watermark_does_not_outlive_its_table(
    warehouse: Warehouse, target: Relation, early: Query, late: Query, verb: Increment, how: str
) -> None:
    """Also the other loads of the table read their sources from the beginning."""
    both = ((early, by("shop.early")), (late, by("shop.late")))
    for source, attempt in both:
        load(warehouse, target, verb, source, attempt=attempt)
    name = warehouse.sql(target)
    warehouse.runner.execute(
        f"delete from {name} where true" if how == "emptied" else f"drop table {name}"
    )
    for source, attempt in both:
        load(warehouse, target, verb, source, attempt=attempt, create=True)
    assert ids(warehouse, target) == [1, 2, 3, 4]
    assert load(warehouse, target, verb, late, attempt=by("shop.late")).staged == 1


@pytest.mark.parametrize("how", ["emptied", "dropped"])
def test_a_lost_table_fails_the_load_by_choice(
    warehouse: Warehouse, target: Relation, late: Query, how: str
) -> None:
    load(warehouse, target, BY_KEY, late)
    name = warehouse.sql(target)
    warehouse.runner.execute(
        f"delete from {name} where true" if how == "emptied" else f"drop table {name}"
    )
    with pytest.raises(RunError, match=r"has no rows, and .*emptied_target"):
        load(warehouse, target, BY_KEY, late, create=True, emptied_target=EmptiedTarget.FAIL)
    assert (
        load(
            warehouse, target, BY_KEY, late, create=True, emptied_target=EmptiedTarget.CONTINUE
        ).staged
        == 1
    )


def test_deleted_keys_do_not_outlive_a_table_that_was_dropped(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    """The new table begins anew, perhaps with the sequences of another database."""
    columns = {"id": "int", "name": "text", "op": "text", "lsn": "bigint"}
    verb, made = ApplyChanges(keys=("id",), sequence="lsn"), warehouse.relation("made")
    load(warehouse, made, verb, warehouse.source(columns, [(1, "a", "c", 50)]), create=True)
    load(warehouse, made, verb, warehouse.source(columns, [(1, None, "d", 51)]))
    load(warehouse, made, verb, warehouse.source(columns, [(1, "late", "u", 50)]))
    assert warehouse.rows(made) == [], "while the table is there they hold"
    assert "If the table was made anew, drop that one, too" in caplog.text
    warehouse.runner.execute(f"drop table {warehouse.sql(made)}")
    load(warehouse, made, verb, warehouse.source(columns, [(1, "anew", "c", 1)]), create=True)
    assert warehouse.rows(made, "name") == [("anew",)]


def test_a_full_refresh_reads_all_and_sets_the_watermark_anew(
    warehouse: Warehouse, target: Relation
) -> None:
    """A row with a wrong time had moved it far ahead."""
    source = origin(warehouse, "origin", (1, at(1)), (2, datetime(9000, 1, 1)))
    load(warehouse, target, BY_KEY, source)
    name = warehouse.sql(warehouse.relation("origin"))
    warehouse.runner.execute(f"delete from {name} where id = 2")
    warehouse.add(warehouse.relation("origin"), tuple(EVENTS), [(3, at(3))])
    assert load(warehouse, target, BY_KEY, source).staged == 0
    everything = Increment(cursor="at", keys=("id",), reading=Reading.ALL)
    result = load(warehouse, target, everything, source)
    assert (result.staged, result.watermark) == (2, "2026-01-02T12:03:00.000000")
    warehouse.add(warehouse.relation("origin"), tuple(EVENTS), [(4, at(4))])
    assert load(warehouse, target, BY_KEY, source).staged == 2
    assert ids(warehouse, target) == [1, 2, 3, 4]


class Unfiltered:
    """A source that cannot tell which rows are new, as a file."""

    def __init__(self, query: Query) -> None:
        self.placement = query.placement
        self.stage = query.stage
        self.stage_columns = query.stage_columns

    def since(self, since: object) -> Unfiltered:
        return self


@pytest.mark.parametrize("reads_all", [False, True], ids=["query", "source that cannot filter"])
def test_what_is_at_the_end_or_past_it_is_left_for_the_next_load(
    warehouse: Warehouse, target: Relation, reads_all: bool
) -> None:
    query = origin(warehouse, "origin", (1, at(1)), (2, at(2)), (3, at(3)))
    source = Unfiltered(query) if reads_all else query
    first = load(warehouse, target, Increment(cursor="at", until=at(2)), source)
    assert (first.staged, first.watermark) == (1, "2026-01-02T12:01:00.000000")
    load(warehouse, target, Increment(cursor="at", until=at(3)), source)
    assert ids(warehouse, target) == [1, 2]
    load(warehouse, target, UNKEYED, source)
    assert ids(warehouse, target) == [1, 2, 3]
