"""Names of tables as authors write them."""

from __future__ import annotations

import pytest

from airflow_dataops.core.engines import engine_names
from airflow_dataops.core.engines.names import parse_relation, written
from airflow_dataops.core.model import Relation
from airflow_dataops.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("orders", (None, None, "orders")),
        ("sales.orders", (None, "sales", "orders")),
        ("shop.sales.orders", ("shop", "sales", "orders")),
        ('shop."my.schema"."Order ""Lines"""', ("shop", "my.schema", 'Order "Lines"')),
        ("`proj-1`.`set`.`t`", ("proj-1", "set", "t")),
        ("my-project.set.t", ("my-project", "set", "t")),
        (" sales . orders ", (None, "sales", "orders")),
    ],
)
def test_parts(name: str, parts: tuple[str | None, ...]) -> None:
    found = parse_relation(name)
    assert (found.database, found.schema, found.identifier) == parts


def test_unquoted_parts_are_read_as_the_engine_reads_them() -> None:
    assert parse_relation('Sales."Orders"', "postgres") == Relation(
        schema="sales", identifier="Orders"
    )
    assert parse_relation('Sales."Orders"', "snowflake") == Relation(
        schema="SALES", identifier="Orders"
    )
    assert parse_relation("Sales.Orders", "bigquery") == Relation(
        schema="Sales", identifier="Orders"
    )


@pytest.mark.parametrize(
    "name", ["", ".", "a..b", "a.", ".a", "a.b.c.d", '"a', 'a"b', "a b", '""', "a.b; drop table c"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="is not the name of a table"):
        parse_relation(name)


@pytest.mark.parametrize("dialect", engine_names())
def test_what_is_written_is_read_as_the_same(dialect: str) -> None:
    table = Relation(database="my.db", schema='a "b"', identifier="Orders")
    assert parse_relation(written(table), dialect) == table
