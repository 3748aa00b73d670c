"""The text that loads a seed: names and types are in it, values are not."""

from __future__ import annotations

from airflow_dataops.core.model import Relation
from airflow_dataops.core.sql import seeds
from airflow_dataops.core.sql.catalog import Column

COLUMNS = (Column(name="id", type="integer"), Column(name='a"b', type="decimal(10,2)"))


def test_stage() -> None:
    staging = Relation(identifier="orders__dbt_tmp", schema="main", database="temp")

    assert seeds.create_stage(staging, COLUMNS, "duckdb") == (
        'create temporary table "temp"."main"."orders__dbt_tmp"'
        ' ("id" integer, "a""b" decimal(10,2))'
    )


def test_rows_are_bound_as_one_list_for_each_column() -> None:
    assert seeds.insert_values('"orders__dbt_tmp"', COLUMNS, "duckdb", "?") == (
        'insert into "orders__dbt_tmp" ("id", "a""b")\n'
        'select cast("id" as integer), cast("a""b" as decimal(10,2))\n'
        "from (select\n"
        '  unnest(cast(? as varchar[])) as "id",\n'
        '  unnest(cast(? as varchar[])) as "a""b"\n'
        ") as batch"
    )


def test_types_with_parts_are_types() -> None:
    for type_ in (
        "varchar",
        "decimal(10, 2)",
        "timestamp with time zone",
        "struct(a integer, b varchar[])",
        "enum('a;b', 'c--d')",
        "integer[][]",
        '"my type"',
    ):
        assert seeds.check_type(type_, "duckdb", "here") == type_
