"""The columns of a table with an enforced contract, as each of dbt's adapters writes them."""

from __future__ import annotations

import pytest

from airflow_dataops.core.engines import relations
from airflow_dataops.core.model import (
    Constraint,
    ContractedColumn,
    ModelContract,
    ModelSpec,
    Node,
    NodeKind,
    Relation,
)
from airflow_dataops.core.sql import contracts
from airflow_dataops.core.sql.makings import making_of

KEY = Constraint(type="primary_key")
CHECK = Constraint(type="check", expression="n > 0")
TO = Constraint(type="foreign_key", to="db.main.days", to_columns=("day",))
CONTRACT = ModelContract(
    columns=(
        ContractedColumn(
            name="id", type="int", constraints=(Constraint(type="not_null"), KEY, CHECK)
        ),
        ContractedColumn(name="order", type="numeric(9, 2)", quoted=True),
        ContractedColumn(name="day", type="date", constraints=(TO, Constraint(type="unique"))),
    ),
    constraints=(
        Constraint(type="unique", name="pair", columns=("id", "day")),
        Constraint(type="primary_key", expression="rely", columns=("id",)),
        Constraint(type="foreign_key", columns=("day",), expression="days (day) no action"),
        Constraint(type="not_null", columns=("id",)),
        Constraint(type="custom", expression="exclude (day with =)"),
    ),
)
NODE = Node(
    id="model.shop.orders",
    kind=NodeKind.MODEL,
    name="orders",
    package="shop",
    spec=ModelSpec(materialized="table", contract=CONTRACT),
)
ORDERS = Relation(schema="MARTS", identifier="ORDERS")
COLUMNS = {
    "postgres": [
        "id int not null primary key check (n > 0)",
        '"order" numeric(9, 2)',
        "day date references db.main.days (day) unique",
        "constraint pair unique (id, day)",
        "primary key rely (id)",
        "foreign key (day) references days (day) no action",
        "exclude (day with =)",
    ],
    "snowflake": [
        "id int not null primary key",
        '"order" numeric(9, 2)',
        "day date references db.main.days (day) unique",
        "constraint pair unique (id, day)",
        "primary key rely (id)",
        "foreign key (day) references days (day) no action",
        "exclude (day with =)",
    ],
    "bigquery": [
        "id int not null primary key not enforced",
        "`order` numeric(9, 2)",
        "day date references db.main.days (day) not enforced",
        "primary key rely (id) not enforced",
        "foreign key (day) references days (day) no action not enforced",
        "exclude (day with =)",
    ],
}


@pytest.mark.parametrize("dialect", COLUMNS)
def test_constraints_are_those_that_the_adapter_writes(dialect: str) -> None:
    listed = ",\n  ".join(COLUMNS[dialect])
    assert contracts.column_list(CONTRACT, dialect) == f" (\n  {listed}\n)"


@pytest.mark.parametrize(
    ("dialect", "begin", "names"),
    [
        ("snowflake", 'create or replace transient table "MARTS"."ORDERS"', 'id, "order", day'),
        ("bigquery", "create or replace table `MARTS`.`ORDERS`", "id, `order`, day"),
    ],
)
def test_a_table_is_made_of_columns_and_rows_in_one_statement(
    dialect: str, begin: str, names: str
) -> None:
    query = contracts.in_order("select 1 -- all", CONTRACT, dialect)
    listed = ",\n  ".join(COLUMNS[dialect])
    sql = relations.replace_table_as(ORDERS, query, dialect, making_of(NODE, dialect))
    assert sql == (
        f"{begin} (\n  {listed}\n) as (\nselect {names}\n"
        "from (\nselect 1 -- all\n) as model_subq\n)"
    )
