"""Runs one of dlt's ways; dlt lives in an environment of its own, and this file needs no other.

python dlt_child.py CASE WAY
"""

import gc
import json
import os
import sys
import tempfile
import time
import urllib.parse

import dlt
import duckdb
import sqlalchemy
from dlt.destinations import duckdb as to_duckdb
from dlt.destinations import postgres as to_postgres
from dlt.sources.sql_database import sql_table
from usage import cpu_seconds, peak_megabytes


def main():
    case, way = sys.argv[1:]
    os.environ["DLT_DATA_DIR"] = tempfile.mkdtemp(dir=os.path.dirname(os.environ["BENCH_ROWS"]))
    gc.collect()  # as in child.py
    before, began = cpu_seconds(), time.perf_counter()
    run(case, way)
    seconds = time.perf_counter() - began
    figures = {"seconds": seconds, "cpu": cpu_seconds() - before, "megabytes": peak_megabytes()}
    print(json.dumps(figures))


def run(case, way):
    parts = json.loads(os.environ["BENCH_POSTGRES_PARTS"])
    is_postgres = case.endswith("-postgres")
    pipeline = dlt.pipeline(
        "bench",
        destination=to_postgres(parts) if is_postgres else to_duckdb(os.environ["BENCH_DUCKDB"]),
        dataset_name="public" if is_postgres else "main",
    )
    if case == "to-duckdb":
        url = sqlalchemy.URL.create(**{**parts, "drivername": "postgresql+psycopg2"})
        data = sql_table(
            url.render_as_string(hide_password=False),
            "target",
            backend=way,
            chunk_size=100_000,
            # It takes no other address of a socket than this one.
            backend_kwargs={"conn": socket_address(parts)} if way == "connectorx" else {},
        )
        pipeline.run(data, table_name="target", write_disposition="replace")
    elif case == "to-postgres":
        pipeline.run(batches("target"), table_name="target", write_disposition="replace")
    else:
        merge(pipeline, case, way)


def socket_address(parts):
    host = urllib.parse.quote(parts["query"]["host"], safe="")
    return f"postgresql://{parts['username']}:none@{host}/{parts['database']}"


def merge(pipeline, case, strategy):
    columns = {"id": {"primary_key": True}}
    if case.startswith("changes"):
        columns["seq"] = {"dedup_sort": "desc"}
        columns["deleted"] = {"hard_delete": True}
    pipeline.run(
        batches("events_dlt" if case.startswith("changes") else "fresh"),
        table_name="target",
        write_disposition={"disposition": "merge", "strategy": strategy},
        columns=columns,
    )


def batches(table):
    with duckdb.connect(os.environ["BENCH_ROWS"], read_only=True) as rows:
        yield from rows.sql(f"select * from {table}").to_arrow_reader(100_000)


if __name__ == "__main__":
    main()
