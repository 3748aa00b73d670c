"""Comments, grants and indexes, as dbt-snowflake and dbt-bigquery leave them.

On DuckDB and Postgres what is left is compared with dbt's, in tests/unit/execution.
"""

from __future__ import annotations

from typing import Any

import pytest

from airflow_dataops.core.engines.relations import RelationKind
from airflow_dataops.core.execution.finishing import finish
from airflow_dataops.core.model import ColumnSpec, ModelSpec, Node, NodeKind, Relation
from airflow_dataops.core.privileges import beyond, strange_grants
from airflow_dataops.core.sql.finishing import (
    comment_on_columns,
    comment_on_relation,
    commented_columns,
)
from tests.fakes.sql_runner import FakeSqlRunner

ORDERS = Relation(database="shop", schema="marts", identifier="orders")
DESCRIBED = (ColumnSpec(name="id", description="costs $1, isn't \\"), ColumnSpec(name="gone"))


def test_comments_on_snowflake() -> None:
    assert comment_on_relation(RelationKind.VIEW, ORDERS, "it's $1", "snowflake") == (
        'comment on view "shop"."marts"."orders" is \'it\\\'s [$]1\''
    )
    assert comment_on_columns(ORDERS, DESCRIBED, ["ID", "N"], "snowflake") == [
        'alter table "shop"."marts"."orders" alter '
        "\"ID\" comment 'costs [$]1, isn\\'t \\\\', \"N\" comment ''"
    ]
    assert commented_columns(DESCRIBED, ["N", "ID"], "snowflake") == (
        " (\n\"N\" comment '',\n\"ID\" comment 'costs [$]1, isn\\'t \\\\'\n)"
    )


def test_comments_on_bigquery() -> None:
    assert comment_on_relation(RelationKind.TABLE, ORDERS, 'a\n"b"', "bigquery") == (
        "alter table `shop`.`marts`.`orders` set options (description = 'a\\n\"b\"')"
    )
    assert comment_on_columns(ORDERS, DESCRIBED, ["id", "n"], "bigquery") == [
        "alter table `shop`.`marts`.`orders`\n"
        "  alter column `id` set options (description = 'costs $1, isn\\'t \\\\')"
    ]
    assert commented_columns(DESCRIBED, ["id", "n"], "bigquery") == (
        " (\n`id` options (description = 'costs $1, isn\\'t \\\\'),\n"
        "`n` options (description = '')\n)"
    )


def test_the_columns_of_a_view_are_commented_on_as_of_a_table_elsewhere() -> None:
    assert commented_columns(DESCRIBED, ["id"], "postgres") is None


@pytest.mark.parametrize("inherits", [True, False])
def test_grants_on_snowflake(inherits: bool) -> None:
    node = Node(
        id="model.shop.orders",
        kind=NodeKind.MODEL,
        name="orders",
        package="shop",
        spec=ModelSpec(materialized="table"),
        config={"grants": {"select": ["reader", "writer"]}},
    )
    rows: list[tuple[Any, ...]] = [
        ("now", "SELECT", "TABLE", "T", "ROLE", "READER", "false", "ADMIN"),
        ("now", "SELECT", "TABLE", "T", "SHARE", "ELSEWHERE", "false", "ADMIN"),
        ("now", "OWNERSHIP", "TABLE", "T", "ROLE", "ADMIN", "true", "ADMIN"),
        ("now", "INSERT", "TABLE", "T", "ROLE", "LOADER", "false", "ADMIN"),
    ]
    runner = FakeSqlRunner(rows, dialect="snowflake")
    finish(node, ORDERS, RelationKind.TABLE, runner, inherits=inherits)
    name = '"shop"."marts"."orders"'
    if inherits:
        assert [sql for sql, _ in runner.told] == [
            f"show grants on {name}",
            f'revoke INSERT on {name} from "LOADER"',
            f"grant select on {name} to writer",
        ]
    else:
        assert [sql for sql, _ in runner.told] == [
            f"grant select on {name} to reader",
            f"grant select on {name} to writer",
        ]


def test_privileges_are_compared_whatever_their_case() -> None:
    present = {"SELECT": ("reader",), "INSERT": ("Loader",)}
    wanted = {"select": ("Reader", "writer")}
    assert beyond(wanted, present) == {"select": ("writer",)}
    assert beyond(present, wanted) == {"INSERT": ("Loader",)}


@pytest.mark.parametrize("name", ["a b", "a;b", "a, b", "a'", '"a', "", "a\nb", "$a", 5])
def test_names_that_could_be_more_than_names_are_strange(name: object) -> None:
    assert strange_grants({"select": [name]})
    assert not strange_grants({"create view": ['"a ""b""; c"', "public", "a_1$"]})
