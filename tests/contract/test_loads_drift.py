"""Columns, types and names of sources and targets: conformance list 15 and 16."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.loads.specs import (
    Append,
    Drift,
    LoadPartition,
    Merge,
    Replace,
)
from airflow_dataops.core.model import Relation
from airflow_dataops.errors import ConfigError, RunError
from tests.contract.loading import (
    EVERY_VERB,
    FIRST,
    ITEMS,
    MERGE,
    OLD,
    items,
    load,
    run,
)
from tests.contract.scenarios import SCENARIOS
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from tests.warehouses import Warehouse


def test_nr_15_new_columns_are_refused_before_anything_is_written(warehouse: Warehouse) -> None:
    target = items(warehouse)
    source = warehouse.source(ITEMS | {"colour": "text"}, [(3, "c", "red")])
    with pytest.raises(RunError, match=r"the source has colour .*which the table has not"):
        load(warehouse, target, MERGE, source)
    assert warehouse.rows(target) == OLD


def test_nr_15_new_columns_are_left_out_or_added_on_request(warehouse: Warehouse) -> None:
    target = items(warehouse)
    source = warehouse.source(ITEMS | {"colour": "text"}, [(3, "c", "red")])
    load(warehouse, target, MERGE, source, drift=Drift.IGNORE)
    assert warehouse.rows(target) == [*OLD, (3, "c")]
    load(warehouse, target, MERGE, source, drift=Drift.ADD)
    assert warehouse.rows(target) == [(1, "a", None), (2, "b", None), (3, "c", "red")]


def test_nr_15_columns_go_by_name_not_by_place(warehouse: Warehouse) -> None:
    target = items(warehouse)
    source = warehouse.source({"name": "text", "id": "int"}, [("c", 3)])
    load(warehouse, target, MERGE, source)
    assert warehouse.rows(target) == [*OLD, (3, "c")]


def test_nr_15_required_columns_that_the_source_lacks_are_named(warehouse: Warehouse) -> None:
    target = warehouse.table("t", {"id": "int", "name": "varchar not null"})
    with pytest.raises(RunError, match="the table requires 'name', which the source lacks"):
        load(warehouse, target, MERGE, warehouse.source({"id": "int"}, [(1,)]))


def test_required_columns_with_a_default_may_be_left_out(warehouse: Warehouse) -> None:
    target = warehouse.table("t", {"id": "int", "n": "integer default 7 not null"})
    load(warehouse, target, Append(), warehouse.source({"id": "int"}, [(1,)]))
    assert warehouse.rows(target) == [(1, 7)]


@pytest.mark.parametrize(
    ("theirs", "ours", "value", "message"),
    [
        ("text", "int", "1", "text is not integer"),
        ("int", "text", 1, "integer is not text"),
        ("float", "int", 1.5, "float is not integer"),
        ("float", "decimal", 1.5, "float is not decimal"),
        ("decimal(18,4)", "decimal", 1, "it would lose digits after the point"),
        ("time", "date", "2026-01-02 03:04:05", "are different things"),
        ("time", "zoned", "2026-01-02 03:04:05", "are different things"),
        ("bool", "int", True, "boolean is not integer"),
    ],
)
def test_nr_15_changed_types_are_refused(
    warehouse: Warehouse, theirs: str, ours: str, value: object, message: str
) -> None:
    target = warehouse.table("t", {"id": "int", "v": ours})
    source = warehouse.source({"id": "int", "v": theirs}, [(1, value)])
    if warehouse.dialect == "snowflake":
        message = message.replace("integer", "decimal")  # NUMBER(38,0) is what it has
    with pytest.raises(RunError, match=rf"v is .* in the source and .*{message}"):
        load(warehouse, target, MERGE, source)
    assert warehouse.rows(target) == []


@pytest.mark.parametrize(
    ("theirs", "ours", "value", "kept"),
    [
        ("int", "bigint", 1, 1),
        ("bigint", "int", 1, 1),
        ("int", "decimal", 1, 1),
        ("int", "float", 1, 1.0),
        ("date", "time", "2026-01-02", "2026-01-02 00:00:00"),
        ("text", "uuid", "6f2b7c8e-0c7e-4b1c-8d5f-3a1d1f7a0001", None),
        ("text", "json", '{"a": 1}', None),
    ],
)
def test_nr_15_types_that_fit_are_converted(
    warehouse: Warehouse, theirs: str, ours: str, value: object, kept: object
) -> None:
    target = warehouse.table("t", {"id": "int", "v": ours})
    load(warehouse, target, MERGE, warehouse.source({"id": "int", "v": theirs}, [(1, value)]))
    [(_, found)] = warehouse.rows(target)
    if kept is not None:
        assert str(found) in (str(kept), f"{kept}.00")


def test_a_column_of_bare_nulls_fits(warehouse: Warehouse) -> None:
    target = items(warehouse)
    load(warehouse, target, MERGE, Query(sql="select 1 as id, null as name"))
    assert warehouse.rows(target) == [(1, None), (2, "b")]


def test_a_value_that_is_too_large_leaves_the_table_as_it_was(warehouse: Warehouse) -> None:
    target = items(warehouse)
    source = warehouse.source({"id": "bigint", "name": "text"}, [(2, "B"), (2**40, "c")])
    with pytest.raises(Exception, match=r"(?i)out of range"):
        load(warehouse, target, MERGE, source)
    assert warehouse.rows(target) == OLD
    assert load(warehouse, target, MERGE, warehouse.source(ITEMS, [(2, "B")])).staged == 1


ODD = ['Id "x"', "na'me", "100 %s?", "SELECT", "größe", "a.b", "$1", "id"]


@EVERY_VERB
def test_nr_16_case_of_names_is_folded_where_it_alone_differs(
    warehouse: Warehouse, scenario: str
) -> None:
    import dataclasses

    folded = dataclasses.replace(
        SCENARIOS[scenario],
        source={name.upper(): kind for name, kind in SCENARIOS[scenario].source.items()},
    )
    if scenario in ("changes_debezium", "increment", "increment_without_keys"):
        pytest.skip("the engine itself looks these columns up in the source")
    SCENARIOS[scenario].set_up(warehouse)
    run(warehouse, warehouse.runner, scenario)
    expected = warehouse.rows(warehouse.relation("target"))
    with open_warehouse(warehouse.engine.name) as other:
        folded.set_up(other)
        folded.run(other.runner, other.schema, FIRST)
        found = other.rows(other.relation("target"))
    assert [row[:2] for row in found] == [row[:2] for row in expected]


def test_nr_16_names_are_quoted(warehouse: Warehouse) -> None:
    columns = dict.fromkeys(ODD, "text")
    row = tuple(ODD)
    for number, verb in enumerate(
        (
            Merge(keys=(ODD[0], ODD[2]), order_by=(ODD[1],)),
            LoadPartition(values={ODD[2]: ODD[2], ODD[0]: ODD[0]}),
            Append(keys=(ODD[2],)),
            Append(),
            Replace(),
        )
    ):
        target = warehouse.table(f'{number} odd "table" %s', columns, [row])
        source = warehouse.source(columns, [row, row], name=f'from {number} %s "x"')
        if isinstance(verb, (LoadPartition, Replace)):
            source = Query(sql=f"select distinct * from ({source.sql}) as s")
        load(warehouse, target, verb, source)
        assert warehouse.rows(target) == [row]


def test_nr_16_names_that_are_too_long_are_refused(warehouse: Warehouse) -> None:
    if get_engine(warehouse.dialect).naming.longest is None:
        target = warehouse.table("x" * 2000, ITEMS, OLD)
        load(warehouse, target, MERGE, warehouse.source(ITEMS, [(3, "c")]))
        assert warehouse.rows(target) == [*OLD, (3, "c")]
        return
    target = Relation(identifier="x" * 2000, schema=warehouse.schema)
    with pytest.raises(ConfigError, match="longer than"):
        load(warehouse, target, MERGE, warehouse.source(ITEMS))


def test_nr_16_staging_names_of_long_tables_do_not_collide(warehouse: Warehouse) -> None:
    for end in "ab":
        target = warehouse.table("é" * 31 + end, ITEMS, OLD)
        load(warehouse, target, MERGE, warehouse.source(ITEMS, [(3, end)]))
        assert warehouse.rows(target) == [*OLD, (3, end)]
