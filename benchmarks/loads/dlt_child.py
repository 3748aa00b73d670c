"""Runs one way of dlt's; dlt lives in an environment of its own, and this file needs no other.

python dlt_child.py upsert-postgres|upsert-duckdb|to-duckdb-pyarrow|changes
"""

import json
import os
import resource
import sys
import tempfile
import time

import dlt
import duckdb
import sqlalchemy
from dlt.destinations import duckdb as to_duckdb
from dlt.destinations import postgres as to_postgres
from dlt.sources.sql_database import sql_table


def batches(table):
    with duckdb.connect(os.environ["BENCH_ROWS"], read_only=True) as rows:
        relation = rows.sql(f"select * from {table}")
        stream = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
        yield from stream(100_000)


def run(way):
    destination = to_duckdb(os.environ["BENCH_DUCKDB"])
    if way == "upsert-postgres":
        destination = to_postgres(json.loads(os.environ["BENCH_POSTGRES_PARTS"]))
    schema = "public" if way == "upsert-postgres" else "main"
    pipeline = dlt.pipeline("bench", destination=destination, dataset_name=schema)
    if way.startswith("to-duckdb"):
        engine = sqlalchemy.create_engine(os.environ["BENCH_POSTGRES_URL"])
        data = sql_table(
            engine, "target", backend=way.removeprefix("to-duckdb-"), chunk_size=100_000
        )
        pipeline.run(data, table_name="target", write_disposition="replace")
        return
    hints = {"columns": {"id": {"primary_key": True}}}
    if way == "changes":
        hints["columns"]["seq"] = {"dedup_sort": "desc"}
        hints["columns"]["deleted"] = {"hard_delete": True}
    table = "events_dlt" if way == "changes" else "fresh"
    pipeline.run(
        batches(table),
        table_name="target",
        write_disposition={"disposition": "merge", "strategy": "delete-insert"},
        **hints,
    )


def main():
    os.environ["DLT_DATA_DIR"] = tempfile.mkdtemp()
    began = time.perf_counter()
    run(sys.argv[1])
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "megabytes": peak}))


if __name__ == "__main__":
    main()
