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


def select(first: int, count: int) -> str:
    """Return the query for `count` rows with ids from `first` on."""
    return _rows(f"range({first}, {first + count}) as r(i)")


def half_new(many: int, count: int) -> str:
    """Return the query for rows in no order: half from all over `many`, half after them."""
    step = 2 * many // count
    old = f"select i from range(0, {many}, {step}) as r(i)"
    new = f"select i from range({many}, {many + count // 2}) as r(i)"
    return f"{_rows(f'({old} union all {new}) as r(i)')} order by hash(i)"


def _rows(ids: str) -> str:
    return (
        "select i as id, (hash(i) % 100000)::bigint as customer, 'customer ' || i as name,"
        " 'order of ' || (i % 977) || ' things' as note, (i % 10007) * 0.25::double as amount,"
        " (i % 100)::integer as quantity,"
        " timestamp '2025-01-01' + i * interval 1 second as placed, i % 3 = 0 as paid"
        f" from {ids}"
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
