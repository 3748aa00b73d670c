"""Our ways: the verbs, over Airflow connections, as the operators run them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# Imports are left out for all.
from airflow.providers.postgres.hooks.postgres import PostgresHook  # noqa: F401
from airflow.sdk.execution_time import cache, supervisor  # noqa: F401
from sqlglot.dialects import duckdb as duckdb_dialect  # noqa: F401
from sqlglot.dialects import postgres as postgres_dialect  # noqa: F401

from airflow_dataops import ApplyChanges, ConnectionQuery, Merge, Replace
from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.specs import Attempt, Load
from airflow_dataops.core.model import Relation
from airflow_dataops.hooks import duckdb, duckdb_file  # noqa: F401
from airflow_dataops.hooks.bulk import carried, engines, postgres  # noqa: F401
from airflow_dataops.hooks.bulk import duckdb as bulk_duckdb  # noqa: F401
from airflow_dataops.hooks.sql_runner import open_session
from benchmarks.loads.rows import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

_FRESH = ConnectionQuery("bench_rows", f"select {NAMES} from fresh")
_ROWS = f"select {NAMES} from target"


def _load(conn_id: str, verb: Any, source: ConnectionQuery) -> None:
    schema = "public" if conn_id == "bench_postgres" else "main"
    load = Load(
        target=Relation(identifier="target", schema=schema),
        verb=verb,
        attempt=Attempt(owner="benchmark", run_id="one"),
    )
    with open_session(conn_id) as session:
        run_load(load, source, session)


def _upsert(conn_id: str) -> None:
    _load(conn_id, Merge(keys=("id",)), _FRESH)


def _to_duckdb() -> None:
    _load("bench_duckdb", Replace(), ConnectionQuery("bench_postgres", _ROWS))


def _to_postgres() -> None:
    _load("bench_postgres", Replace(), ConnectionQuery("bench_rows", _ROWS))


def _changes() -> None:
    verb = ApplyChanges(keys=("id",), sequence="seq", sequence_column="seq")
    _load("bench_duckdb", verb, ConnectionQuery("bench_rows", "select * from events"))


OURS: dict[str, Callable[[], None]] = {
    "upsert-postgres": lambda: _upsert("bench_postgres"),
    "upsert-duckdb": lambda: _upsert("bench_duckdb"),
    "insert-rows": lambda: _upsert("bench_postgres"),
    "changes-duckdb": _changes,
    "to-duckdb": _to_duckdb,
    "to-duckdb-20m": _to_duckdb,
    "to-postgres": _to_postgres,
    "to-postgres-20m": _to_postgres,
}
