"""The rows of the benchmarks: eight columns, made by DuckDB from their numbers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import adbc_driver_postgresql.dbapi
import duckdb
import psycopg

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = {
    "id": "bigint",
    "customer": "bigint",
    "name": "varchar",
    "note": "varchar",
    "amount": "double precision",
    "quantity": "integer",
    "placed": "timestamp",
    "paid": "boolean",
}
NAMES = ", ".join(COLUMNS)
DEFINED = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())


def select(first: int, count: int, *, shuffled: bool = False) -> str:
    """Return the query for `count` rows with ids from `first` on."""
    order = " order by hash(i)" if shuffled else ""
    return (
        "select i as id, (hash(i) % 100000)::bigint as customer, 'customer ' || i as name,"
        " 'order of ' || (i % 977) || ' things' as note, (i % 10007) * 0.25::double as amount,"
        " (i % 100)::integer as quantity,"
        " timestamp '2025-01-01' + i * interval 1 second as placed, i % 3 = 0 as paid"
        f" from range({first}, {first + count}) as r(i){order}"
    )


def fill_duckdb(file: Path, table: str, query: str) -> None:
    """Put rows into a table of a DuckDB file."""
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"create or replace table {table} as {query}")


def fill_postgres(uri: str, table: str, query: str, *, key: bool = True) -> None:
    """Put rows into a table of Postgres."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"drop table if exists {table}")
        connection.execute(f"create table {table} ({DEFINED})")
    with duckdb.connect() as made, adbc_driver_postgresql.dbapi.connect(uri) as adbc:
        with adbc.cursor() as cursor:
            cursor.adbc_ingest(table, made.sql(query).to_arrow_reader(65536), mode="append")
        adbc.commit()
    with psycopg.connect(uri, autocommit=True) as connection:
        if key:
            connection.execute(f"alter table {table} add primary key (id)")
        connection.execute(f"vacuum (analyze, freeze) {table}")
        connection.execute("checkpoint")
