"""Rows of other tables that refer to the target's, and triggers and rules of it: on Postgres."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.loads.choices import Duplicates
from airflow_dataops.core.loads.specs import (
    Append,
    ApplyChanges,
    History,
    Increment,
    LoadPartition,
    Merge,
    Replace,
)
from airflow_dataops.errors import RunError
from tests.contract.loading import load
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.loads.specs import Verb
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

PARENT = {"id": "int", "code": "text", "n": "int"}
OLD = [(1, "a", 1), (2, "b", 2)]
CHILDREN = [(10, 1), (20, 2)]
ACTIONS = pytest.mark.parametrize("action", ["cascade", "set null", "set default"])


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse("postgres") as opened:
        yield opened


def parent(warehouse: Warehouse, reference: str, columns: dict[str, str] = PARENT) -> Relation:
    """Make a table with rows, and one that refers to its ids."""
    made = warehouse.table("parent", columns, [(*row, *[None] * (len(columns) - 3)) for row in OLD])
    name = warehouse.sql(made)
    warehouse.runner.execute(f"alter table {name} add constraint ids unique (id) include (n)")
    refer(warehouse, made, reference)
    return made


def refer(warehouse: Warehouse, made: Relation, reference: str) -> None:
    child = warehouse.table("child", {"nr": "int", "parent_id": "int"}, CHILDREN)
    warehouse.runner.execute(
        f"alter table {warehouse.sql(child)} add constraint of_parent"
        f" foreign key (parent_id) references {warehouse.sql(made)} {reference}"
    )


def children(warehouse: Warehouse) -> list[tuple[object, ...]]:
    return warehouse.rows(warehouse.relation("child"))


@ACTIONS
@pytest.mark.parametrize(
    "verb",
    [Merge(keys=("code",)), Increment(cursor="n", keys=("code",))],
    ids=["merge", "increment"],
)
def test_rows_that_are_referred_to_are_updated_in_place(
    warehouse: Warehouse, verb: Verb, action: str
) -> None:
    made = parent(warehouse, f"(id) on delete {action}")
    rows = [(1, "a", 7), (2, "b", 8), (3, "c", 9)]
    load(warehouse, made, verb, warehouse.source(PARENT, rows))
    assert (warehouse.rows(made), children(warehouse)) == (rows, CHILDREN)


@ACTIONS
def test_events_update_rows_in_place_and_a_deletion_is_one(
    warehouse: Warehouse, action: str
) -> None:
    made = parent(warehouse, f"(id) on delete {action}", PARENT | {"_sequence": "bigint"})
    verb = ApplyChanges(keys=("code",), sequence="lsn")
    events = {**PARENT, "op": "text", "lsn": "bigint"}
    rows = [(1, "a", 7, "u", 1), (2, "b", 2, "d", 2)]
    load(warehouse, made, verb, warehouse.source(events, rows))
    assert warehouse.rows(made) == [(1, "a", 7, 1)]
    assert (
        children(warehouse)
        == {
            "cascade": [(10, 1)],
            "set null": [(10, 1), (20, None)],
            "set default": [(10, 1), (20, None)],
        }[action]
    ), "what the author of the key wants of rows whose parent is gone"


@ACTIONS
@pytest.mark.parametrize(
    "verb", [Replace(), LoadPartition(values={"code": "a"})], ids=["replace", "partition"]
)
def test_a_deletion_that_would_change_other_rows_is_refused_by_the_keys_name(
    warehouse: Warehouse, verb: Verb, action: str
) -> None:
    made = parent(warehouse, f"(id) on delete {action}")
    with pytest.raises(RunError, match=f"foreign key of_parent of .*child.*on delete {action}"):
        load(warehouse, made, verb, warehouse.source(PARENT, [(1, "a", 7)]))
    assert (warehouse.rows(made), children(warehouse)) == (OLD, CHILDREN)


def test_a_table_that_refers_to_itself(warehouse: Warehouse) -> None:
    """A partition would take rows of others with it; a replacement takes all in any case."""
    made = warehouse.table("parent", PARENT, OLD, key=("id",))
    name = warehouse.sql(made)
    warehouse.runner.execute(
        f"alter table {name} add constraint own foreign key (n) references {name} on delete cascade"
    )
    rows = [(1, "a", 1), (2, "b", 1)]
    load(warehouse, made, Merge(keys=("code",)), warehouse.source(PARENT, rows))
    source = warehouse.source(PARENT, [(1, "a", 1)])
    with pytest.raises(RunError, match="foreign key own"):
        load(warehouse, made, LoadPartition(values={"code": "a"}), source)
    assert warehouse.rows(made) == rows
    load(warehouse, made, Replace(), warehouse.source(PARENT, rows[:1]))
    assert warehouse.rows(made) == rows[:1]


@pytest.mark.parametrize("action", ["set null", "set default"])
def test_other_values_in_columns_that_are_referred_to_are_refused(
    warehouse: Warehouse, action: str
) -> None:
    made = parent(warehouse, f"(id) on update {action}")
    load(warehouse, made, Merge(keys=("code",)), warehouse.source(PARENT, [(1, "a", 7)]))
    with pytest.raises(RunError, match=rf"other values in id.*of_parent.*on update {action}"):
        load(warehouse, made, Merge(keys=("code",)), warehouse.source(PARENT, [(5, "a", 7)]))
    assert children(warehouse) == CHILDREN


def test_rows_that_follow_an_update_follow_it(warehouse: Warehouse) -> None:
    made = parent(warehouse, "(id) on update cascade")
    load(warehouse, made, Merge(keys=("code",)), warehouse.source(PARENT, [(5, "a", 7)]))
    assert children(warehouse) == [(10, 5), (20, 2)]


def test_versions_that_are_referred_to_do_not_go(warehouse: Warehouse) -> None:
    times = {"valid_from": "time", "valid_to": "time", "is_current": "bool"}
    columns = {"id": "int", "name": "text", **times, "nr": "serial"}
    made = warehouse.table("parent", columns, key=("nr",))
    refer(warehouse, made, "(nr) on delete cascade not valid")
    verb, rows = (
        History(keys=("id",), effective_at="at"),
        {"id": "int", "name": "text", "at": "time"},
    )
    day = [datetime(2026, 1, number) for number in range(1, 5)]
    load(warehouse, made, verb, warehouse.source(rows, [(1, "a", day[0]), (1, "b", day[2])]))
    load(warehouse, made, verb, warehouse.source(rows, [(1, "c", day[3])]))
    assert children(warehouse) == CHILDREN
    with pytest.raises(RunError, match=r"versions that say nothing new.*of_parent"):
        load(warehouse, made, verb, warehouse.source(rows, [(1, "b", day[1])]))
    assert (len(warehouse.rows(made)), children(warehouse)) == (3, CHILDREN)


def trigger(warehouse: Warehouse, made: Relation, when: str, body: str) -> None:
    schema = warehouse.schema
    warehouse.runner.execute(
        f"create function {schema}.stands_by() returns trigger language plpgsql"
        f" as $$ begin {body} end $$"
    )
    warehouse.runner.execute(
        f"create trigger keeper {when} on {warehouse.sql(made)}"
        f" for each row execute function {schema}.stands_by()"
    )


def test_a_trigger_that_keeps_deleted_rows_does_not_double_them(warehouse: Warehouse) -> None:
    """Such as one that marks rows instead."""
    made = warehouse.table("parent", PARENT, OLD)
    trigger(warehouse, made, "before delete", "return null;")
    rows = [(1, "a", 7), (3, "c", 9)]
    load(warehouse, made, Merge(keys=("id",)), warehouse.source(PARENT, rows))
    assert warehouse.rows(made) == [(1, "a", 7), (2, "b", 2), (3, "c", 9)]
    for verb in (Replace(), LoadPartition(values={"code": "a"})):
        with pytest.raises(RunError, match="the trigger keeper, which is called before each row"):
            load(warehouse, made, verb, warehouse.source(PARENT, rows[:1]))
    assert len(warehouse.rows(made)) == 3


def test_a_rule_that_takes_rows_away_is_refused_by_its_name(warehouse: Warehouse) -> None:
    made = warehouse.table("parent", PARENT, OLD)
    rule = f"create rule swallow as on insert to {warehouse.sql(made)} do instead nothing"
    warehouse.runner.execute(rule)
    source = warehouse.source(PARENT, [(3, "c", 9)])
    for verb in (Append(), Append(duplicates=Duplicates.KEEP), Merge(keys=("id",))):
        with pytest.raises(RunError, match="has the rules swallow"):
            load(warehouse, made, verb, source)


def test_rows_of_tables_that_inherit_stay_there(warehouse: Warehouse) -> None:
    """They are among the rows of the target, and deleted with those."""
    made = warehouse.table("parent", PARENT, OLD)
    heir = warehouse.relation("heir")
    warehouse.runner.execute(
        f"create table {warehouse.sql(heir)} () inherits ({warehouse.sql(made)})"
    )
    warehouse.add(heir, tuple(PARENT), [(3, "c", 3)])
    rows = [(2, "b", 7), (3, "c", 8)]
    for verb in (Replace(), LoadPartition(values={"code": "c"})):
        with pytest.raises(RunError, match=r"inheriting table .*heir are among them"):
            load(warehouse, made, verb, warehouse.source(PARENT, rows[1:]))
    assert warehouse.rows(heir) == [(3, "c", 3)]
    load(warehouse, made, Merge(keys=("id",)), warehouse.source(PARENT, rows))
    assert warehouse.rows(heir) == [(3, "c", 8)]
    assert warehouse.rows(made) == [(1, "a", 1), *rows]


def test_partitions_are_the_tables_own(warehouse: Warehouse) -> None:
    made, part = warehouse.relation("parts"), warehouse.relation("part")
    warehouse.runner.execute(
        f"create table {warehouse.sql(made)} (id int, code text, n int) partition by list (code)"
    )
    warehouse.runner.execute(
        f"create table {warehouse.sql(part)} partition of {warehouse.sql(made)} default"
    )
    for _ in range(2):
        load(warehouse, made, Replace(), warehouse.source(PARENT, OLD))
    assert warehouse.rows(part) == OLD
