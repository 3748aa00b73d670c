"""The ways that are compared: ours, and the best that can be written by hand.

Each is timed from opening its connections to closing them after the durable commit.
"""

from __future__ import annotations

import io
import json
import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.csv

from benchmarks.loads.rows import COLUMNS, DEFINED, NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops import ConnectionQuery

SETS = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != "id")
LAST = "qualify row_number() over (partition by id order by seq desc) = 1"


def ours(conn_id: str, verb: Any, source: ConnectionQuery) -> None:
    from airflow_dataops.core.loads.run import run_load
    from airflow_dataops.core.loads.specs import Attempt, Load
    from airflow_dataops.core.model import Relation
    from airflow_dataops.hooks.sql_runner import open_session

    schema = "public" if conn_id == "bench_postgres" else "main"
    load = Load(
        target=Relation(identifier="target", schema=schema),
        verb=verb,
        attempt=Attempt(owner="benchmark", run_id="one"),
    )
    with open_session(conn_id) as session:
        run_load(load, source, session)


def upsert_ours(engine: str) -> None:
    from airflow_dataops import ConnectionQuery, Merge

    ours(f"bench_{engine}", Merge(keys=("id",)), ConnectionQuery("bench_rows", _all("fresh")))


def replace_ours(engine: str) -> None:
    from airflow_dataops import ConnectionQuery, Replace

    source = ConnectionQuery("bench_rows" if engine == "postgres" else "bench_postgres", _all())
    ours(f"bench_{engine}", Replace(), source)


def changes_ours() -> None:
    from airflow_dataops import ApplyChanges, ConnectionQuery

    source = ConnectionQuery("bench_rows", "select * from events")
    ours("bench_duckdb", ApplyChanges(keys=("id",), sequence="seq", sequence_column="seq"), source)


def upsert_adbc_sorted() -> None:
    with closing(_fresh()) as rows, _adbc() as adbc, adbc.cursor() as cursor:
        cursor.adbc_ingest("staged", _stream(rows, "fresh"), mode="create")
        cursor.execute(
            f"insert into target ({NAMES}) select {NAMES} from staged order by id"
            f" on conflict (id) do update set {SETS}"
        )
        cursor.execute("drop table staged")
        adbc.commit()


def upsert_copy_merge() -> None:
    sets = ", ".join(f"{name} = s.{name}" for name in COLUMNS if name != "id")
    values = ", ".join(f"s.{name}" for name in COLUMNS)
    with closing(_fresh()) as rows, psycopg.connect(_uri()) as connection:
        connection.execute(f"create temporary table staged ({DEFINED})")
        with connection.cursor().copy("copy staged from stdin (format csv)") as copy:
            for batch in _stream(rows, "fresh"):
                sink = io.BytesIO()
                pyarrow.csv.write_csv(batch, sink, pa.csv.WriteOptions(include_header=False))
                copy.write(sink.getvalue())
        connection.execute(
            f"merge into target as t using staged as s on t.id = s.id when matched then update"
            f" set {sets} when not matched then insert ({NAMES}) values ({values})"
        )


def upsert_insert_rows() -> None:
    """What SQLInsertRowsOperator does with its rows; with a tenth of them."""
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    with closing(_fresh()) as rows:
        found = rows.sql("select * from fresh where customer % 10 = 0").fetchall()
    PostgresHook("bench_postgres").insert_rows(
        "target", found, list(COLUMNS), replace=True, replace_index="id"
    )


def upsert_delete_insert() -> None:
    with closing(_fresh()) as rows, closing(_target()) as target:
        target.register("stream", _stream(rows, "fresh"))
        target.execute("create temporary table staged as select * from stream")
        target.begin()
        target.execute("delete from target where id in (select id from staged)")
        target.execute(f"insert into target ({NAMES}) select {NAMES} from staged")
        target.commit()


def upsert_merge() -> None:
    with closing(_fresh()) as rows, closing(_target()) as target:
        target.register("stream", _stream(rows, "fresh"))
        target.execute("create temporary table staged as select * from stream")
        target.execute(
            "merge into target using staged using (id)"
            " when matched then update when not matched then insert"
        )


def replace_stream_duckdb() -> None:
    with _adbc() as adbc, adbc.cursor() as cursor, closing(_target()) as target:
        cursor.execute(_all())
        target.register("stream", cursor.fetch_record_batch())
        target.begin()
        target.execute("delete from target")
        target.execute(f"insert into target ({NAMES}) select {NAMES} from stream")
        target.commit()


def replace_stream_postgres() -> None:
    with closing(_fresh()) as rows, _adbc() as adbc, adbc.cursor() as cursor:
        cursor.execute("truncate target")
        cursor.adbc_ingest("target", _stream(rows, "target"), mode="append")
        adbc.commit()


def replace_staged_postgres() -> None:
    """Staging first, then the swap: what a load needs that checks before it writes."""
    with closing(_fresh()) as rows, _adbc() as adbc, adbc.cursor() as cursor:
        cursor.execute(f"create unlogged table staged ({DEFINED})")
        cursor.adbc_ingest("staged", _stream(rows, "target"), mode="append")
        cursor.execute("create table swapped (like target including all)")
        cursor.execute(f"insert into swapped ({NAMES}) select {NAMES} from staged")
        cursor.execute("drop table target")
        cursor.execute("alter table swapped rename to target")
        cursor.execute("drop table staged")
        adbc.commit()


def changes_window() -> None:
    with closing(_fresh()) as rows, closing(_target()) as target:
        target.register("stream", _stream(rows, "events"))
        target.execute("create temporary table staged as select * from stream")
        target.execute(f"create temporary table last as select * from staged {LAST}")
        target.begin()
        target.execute("delete from target where id in (select id from last)")
        target.execute(
            f"insert into target ({NAMES}, seq) select {NAMES}, seq from last where op <> 'd'"
        )
        target.commit()


WAYS: dict[str, Callable[[], None]] = {
    "upsert postgres ours": lambda: upsert_ours("postgres"),
    "upsert postgres adbc, sorted on conflict": upsert_adbc_sorted,
    "upsert postgres copy, merge": upsert_copy_merge,
    "upsert postgres insert_rows, a tenth": upsert_insert_rows,
    "upsert duckdb ours": lambda: upsert_ours("duckdb"),
    "upsert duckdb delete and insert": upsert_delete_insert,
    "upsert duckdb merge": upsert_merge,
    "to duckdb ours": lambda: replace_ours("duckdb"),
    "to duckdb adbc stream": replace_stream_duckdb,
    "to postgres ours": lambda: replace_ours("postgres"),
    "to postgres adbc, no staging": replace_stream_postgres,
    "to postgres adbc, staged and swapped": replace_staged_postgres,
    "changes duckdb ours": changes_ours,
    "changes duckdb window, delete and insert": changes_window,
}


def _all(table: str = "target") -> str:
    return f"select {NAMES} from {table}"


def _uri() -> str:
    return os.environ["BENCH_POSTGRES"]


def _fresh() -> Any:
    return duckdb.connect(os.environ["BENCH_ROWS"], read_only=True)


def _target() -> Any:
    config = json.loads(os.environ["BENCH_CONFIG"])
    return duckdb.connect(os.environ["BENCH_DUCKDB"], config=config)


def _stream(connection: Any, table: str) -> pa.RecordBatchReader:
    return connection.sql(f"select * from {table}").to_arrow_reader(65536)


def _adbc() -> Any:
    import adbc_driver_postgresql.dbapi

    return adbc_driver_postgresql.dbapi.connect(_uri())
