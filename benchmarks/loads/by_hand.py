"""The best that can be written by hand, and what Airflow has.

Each opens its connections and closes them after the durable commit.
"""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import adbc_driver_postgresql.dbapi
import duckdb

from benchmarks.loads.rows import COLUMNS, NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

_SETS = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != "id")
_LAST = "qualify row_number() over (partition by id order by seq desc) = 1"


def upsert_adbc_sorted() -> None:
    with closing(_rows()) as rows, _adbc() as adbc, adbc.cursor() as cursor:
        cursor.adbc_ingest("staged", _stream(rows, "fresh"), mode="create")
        cursor.execute(
            f"insert into target ({NAMES}) select {NAMES} from staged order by id"
            f" on conflict (id) do update set {_SETS}"
        )
        cursor.execute("drop table staged")
        adbc.commit()


def insert_rows() -> None:
    """What SQLInsertRowsOperator does with its rows: psycopg sends 1,000 at a time, pipelined."""
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    with closing(_rows()) as rows:
        found = rows.sql(f"select {NAMES} from fresh").fetchall()
    PostgresHook("bench_postgres").insert_rows(
        "target", found, list(COLUMNS), replace=True, replace_index="id"
    )


def upsert_delete_insert() -> None:
    with closing(_rows()) as rows, closing(_target()) as target:
        target.register("stream", _stream(rows, "fresh"))
        target.execute("create temporary table staged as select * from stream")
        target.begin()
        target.execute("delete from target where id in (select id from staged)")
        target.execute(f"insert into target ({NAMES}) select {NAMES} from staged")
        target.commit()


def upsert_merge() -> None:
    with closing(_rows()) as rows, closing(_target()) as target:
        target.register("stream", _stream(rows, "fresh"))
        target.execute("create temporary table staged as select * from stream")
        target.execute(
            "merge into target using staged using (id)"
            " when matched then update when not matched then insert"
        )


def stream_to_duckdb() -> None:
    with _adbc() as adbc, adbc.cursor() as cursor, closing(_target()) as target:
        # A third less CPU than with its default of 16 MB, and less than half the memory.
        hint = {"adbc.postgresql.batch_size_hint_bytes": str(4 * 1024**2)}
        cursor.adbc_statement.set_options(**hint)
        cursor.execute(f"select {NAMES} from target")
        target.register("stream", cursor.fetch_record_batch())
        target.begin()
        target.execute("delete from target")
        target.execute(f"insert into target ({NAMES}) select {NAMES} from stream")
        target.commit()


def ingest_into_postgres() -> None:
    with closing(_rows()) as rows, _adbc() as adbc, adbc.cursor() as cursor:
        cursor.execute("truncate target")
        cursor.adbc_ingest("target", _stream(rows, "target"), mode="append")
        adbc.commit()


def changes_window() -> None:
    with closing(_rows()) as rows, closing(_target()) as target:
        target.register("stream", _stream(rows, "events"))
        target.execute("create temporary table staged as select * from stream")
        target.execute(f"create temporary table last as select * from staged {_LAST}")
        target.begin()
        target.execute("delete from target where id in (select id from last)")
        target.execute(
            f"insert into target ({NAMES}, seq) select {NAMES}, seq from last where op <> 'd'"
        )
        target.commit()


BY_HAND: dict[tuple[str, str], Callable[[], None]] = {
    ("upsert-postgres", "ADBC staging, sorted, ON CONFLICT"): upsert_adbc_sorted,
    ("insert-rows", "ADBC staging, sorted, ON CONFLICT"): upsert_adbc_sorted,
    ("insert-rows", "SQLInsertRowsOperator"): insert_rows,
    ("upsert-duckdb", "delete and insert"): upsert_delete_insert,
    ("upsert-duckdb", "MERGE"): upsert_merge,
    ("to-duckdb", "ADBC stream"): stream_to_duckdb,
    ("to-postgres", "ADBC ingest"): ingest_into_postgres,
    ("changes-duckdb", "window, delete and insert"): changes_window,
}


def _rows() -> Any:
    return duckdb.connect(os.environ["BENCH_ROWS"], read_only=True)


def _target() -> Any:
    return duckdb.connect(os.environ["BENCH_DUCKDB"])


def _stream(connection: Any, table: str) -> pa.RecordBatchReader:
    return connection.sql(f"select * from {table}").to_arrow_reader(65536)


def _adbc() -> Any:
    return adbc_driver_postgresql.dbapi.connect(os.environ["BENCH_POSTGRES"])
