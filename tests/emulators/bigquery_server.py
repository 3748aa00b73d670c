"""bqemulator with sessions and transactions; a process of its own, in an environment of its own.

`python -m tests.emulators.bigquery_server PORT BUCKETS`: BUCKETS is the folder whose subfolders
are the buckets of gs://. `bigquery_gaps.REPAIRS` lists what is repaired in bqemulator 1.4.0.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import re
import sys
from pathlib import Path
from typing import Any

import bqemulator.api.routes.jobs as jobs
import bqemulator.jobs.executor as executor
import bqemulator.sql.rewriter.information_schema as information_schema
import duckdb
import sqlglot
from bqemulator.catalog import ddl_sync
from bqemulator.config import LogLevel, Settings
from bqemulator.domain.errors import InvalidQueryError
from bqemulator.server import EmulatorServer
from bqemulator.sql import parameters
from bqemulator.storage.engine import CATALOG_SCHEMA, DuckDBEngine
from bqemulator.versioning.snapshots import SnapshotManager
from sqlglot import exp

_SESSION: contextvars.ContextVar[str | None] = contextvars.ContextVar("session", default=None)
_CONTROL = re.compile(
    r"\s*(begin|commit|rollback)(?:\s+transaction)?\s*;?\s*|\s*call\s+bq\.(abort_session)\(\)\s*;?\s*",
    re.IGNORECASE,
)
_KEY = re.compile(r",\s*primary key \([^)]*\) not enforced", re.IGNORECASE)
_EXPIRES = re.compile(r"\s*alter table \S+ set options \(expiration_timestamp", re.IGNORECASE)
_CHANGES = (exp.Update, exp.Delete, exp.Merge)
_WAITS = 20.0

cursors: dict[str, duckdb.DuckDBPyConnection] = {}
changed: dict[str, set[str]] = {}
"""Tables that a session's open transaction has changed; a session without one is not here."""

_execute_query_job = jobs.execute_query_job
_validate_session_id = jobs._validate_session_id


_create_destination = executor._maybe_create_load_destination
_ensure_catalog_schema = DuckDBEngine._ensure_catalog_schema

_LIST_OF_COLUMNS = f"""create view "{CATALOG_SCHEMA}".columns as
select split_part(schema_name, '__', 1) as table_catalog,
  substr(schema_name, position('__' in schema_name) + 2) as table_schema,
  table_name, column_name, column_index as ordinal_position,
  case when is_nullable then 'YES' else 'NO' end as is_nullable,
  case when data_type = 'DECIMAL(38,9)' then 'NUMERIC'
    when data_type like 'DECIMAL%' then replace(replace(data_type, 'DECIMAL', 'NUMERIC'), ',', ', ')
    else coalesce(map {{'BIGINT': 'INT64', 'INTEGER': 'INT64', 'VARCHAR': 'STRING',
      'DOUBLE': 'FLOAT64', 'BOOLEAN': 'BOOL', 'TIMESTAMP': 'DATETIME', 'BLOB': 'BYTES',
      'TIMESTAMP WITH TIME ZONE': 'TIMESTAMP'}}[data_type], data_type) end as data_type,
  coalesce(column_default, 'NULL') as column_default,
  cast(null as varchar) as collation_name, cast(null as varchar) as rounding_mode
from duckdb_columns() where contains(schema_name, '__')"""


def validate_session_id(body: dict[str, Any]) -> None:
    """Remember the session of this request."""
    _validate_session_id(body)
    for entry in body.get("connectionProperties") or ():
        if entry.get("key") == "session_id":
            _SESSION.set(entry["value"])


def connection(engine: DuckDBEngine) -> duckdb.DuckDBPyConnection:
    """Return the connection of this request's session."""
    session = _SESSION.get()
    root = engine._connection
    if session is None or root is None:
        return root
    if session not in cursors:
        cursors[session] = root.cursor()
        cursors[session].execute("set TimeZone = 'UTC'")
    return cursors[session]


async def execute_query_job(
    project_id: str, job_id: str, sql: str, given: Any, ctx: Any, **more: Any
) -> Any:
    """Run a statement as one of its session's transaction, if there is one."""
    if control := _CONTROL.fullmatch(sql):
        _control((control[1] or control[2]).lower(), ctx)
        return await _execute_query_job(project_id, job_id, "select 1", None, ctx, **more)
    if _EXPIRES.match(sql):
        return await _execute_query_job(project_id, job_id, "select 1", None, ctx, **more)
    tree = _parse(sql)
    try:
        await _turn(tree)
        return await _execute_query_job(project_id, job_id, _KEY.sub("", sql), given, ctx, **more)
    except Exception as error:
        raise _as_bigquery(error) from error


def _control(what: str, ctx: Any) -> None:
    session = _SESSION.get()
    if session is None:
        raise InvalidQueryError("Transaction control statements are supported in sessions only")
    if what == "begin":
        ctx.engine.connection.begin()
        changed[session] = set()
        return
    if what == "abort_session":
        jobs._SESSION_CATALOG.discard(session)
        if session in changed:
            _end(session, "rollback", ctx)
        if session in cursors:
            cursors.pop(session).close()
        return
    if session not in changed:
        raise InvalidQueryError(f"There is no active transaction to {what}")
    _end(session, what, ctx)


def _end(session: str, what: str, ctx: Any) -> None:
    del changed[session]
    try:
        getattr(ctx.engine.connection, what)()
    except duckdb.Error as error:
        raise _as_bigquery(error) from error


async def _turn(tree: exp.Expression | None) -> None:
    """Wait for, or give way to, a transaction that has changed the same table."""
    if not isinstance(tree, _CHANGES):
        return
    session, table = _SESSION.get(), tree.this.sql("bigquery", comments=False).split(" AS ")[0]
    mine = changed.get(session or "")
    waited = 0.0
    while any(table in tables for other, tables in changed.items() if other != session):
        if mine is not None:
            raise InvalidQueryError(
                f"Transaction is aborted due to concurrent update against table {table}."
            )
        if waited > _WAITS:
            raise InvalidQueryError(
                f"Could not serialize access to table {table} due to concurrent update"
            )
        await asyncio.sleep(0.01)
        waited += 0.01
    if mine is not None:
        mine.add(table)


def _as_bigquery(error: Exception) -> Exception:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, duckdb.TransactionException):
            return InvalidQueryError(
                f"Transaction is aborted due to concurrent update against table: {cause}"
            )
        cause = cause.__cause__
    return error


def bind_parameters(sql: str, given: Any = None) -> tuple[str, list[Any]]:
    """Number the marks of values as they stand; DuckDB 1.5 counts those of FROM before SET's."""
    bound, values = parameters.bind_parameters(sql, given)
    numbers = itertools.count(1)
    return parameters._replace_question_marks(bound, lambda mark: f"${next(numbers)}"), values


def create_destination(*, load_config: dict[str, Any], ctx: Any, **place: Any) -> None:
    """Make the table of a load job that has no schema, with the columns that its files have."""
    if (load_config.get("schema") or {}).get("fields"):
        _create_destination(load_config=load_config, ctx=ctx, **place)
        return
    parts = [place[f"dest_{part}"] for part in ("project", "dataset", "table_id")]
    path = executor._resolve_uri(load_config["sourceUris"][0], ctx)
    name = executor.quoted_table_ref(*parts)
    ctx.engine.execute(f"create table {name} as from {_reader(path, load_config)} limit 0")
    ddl_sync.sync_created_table(f"create table `{'`.`'.join(parts)}` as select 1", parts[0], ctx)


def load_path(path: str, job: Any, ctx: Any) -> None:
    """Add a file's rows by the names of its columns, or by their places where it has none."""
    load = job.raw_config
    by_place = job.source_format == "CSV" and not _has_header(load)
    names = "" if by_place else " by name"
    ctx.engine.execute(f"insert into {job.target_ref}{names} from {_reader(path, load)}")


def _reader(path: str, load: dict[str, Any]) -> str:
    file = exp.Literal.string(path).sql("duckdb")
    form = load.get("sourceFormat", "CSV")
    if form == "PARQUET":
        return f"read_parquet({file})"
    if form == "NEWLINE_DELIMITED_JSON":
        return f"read_json({file}, format = 'newline_delimited')"
    given = {
        "delim": load.get("fieldDelimiter", ","),
        "quote": load.get("quote", '"'),
        "nullstr": load.get("nullMarker", ""),
    }
    options = "".join(f", {k} = {exp.Literal.string(v).sql('duckdb')}" for k, v in given.items())
    texts = "" if load.get("autodetect") else ", all_varchar = true"
    return f"read_csv({file}, header = {str(_has_header(load)).lower()}{options}{texts})"


def _has_header(load: dict[str, Any]) -> bool:
    return bool(load.get("autodetect")) or int(load.get("skipLeadingRows") or 0) > 0


def columns_as_query(tables: Any, project_id: str, dataset_id: str) -> str:
    """Write the query that stands for a dataset's INFORMATION_SCHEMA.COLUMNS."""
    del tables
    return (
        f"(select * from `{CATALOG_SCHEMA}`.`columns`"
        f" where table_catalog = '{project_id}' and table_schema = '{dataset_id}')"
    )


def make_catalog(engine: DuckDBEngine) -> None:
    """Make the emulator's own schemas, and the list of columns as DuckDB has it."""
    _ensure_catalog_schema(engine)
    engine.connection.execute(_LIST_OF_COLUMNS)


def _parse(sql: str) -> exp.Expression | None:
    try:
        return sqlglot.parse_one(sql, read="bigquery")
    except sqlglot.errors.SqlglotError:
        return None


def main(port: int, buckets: str) -> None:
    """Serve until the process ends."""
    jobs._validate_session_id = validate_session_id
    jobs.execute_query_job = execute_query_job
    executor.bind_parameters = bind_parameters
    executor._maybe_create_load_destination = create_destination
    executor._load_path_into_target = load_path
    DuckDBEngine.connection = property(connection)  # type: ignore[method-assign, assignment]
    DuckDBEngine._load_spatial = lambda engine: None  # type: ignore[method-assign]
    information_schema._columns_as_values = columns_as_query
    DuckDBEngine._ensure_catalog_schema = make_catalog  # type: ignore[method-assign]
    SnapshotManager.record_change = lambda *args, **kwargs: None
    settings = Settings(
        rest_port=port,
        grpc_port=0,
        default_project_id="emulated",
        gcs_local_root=Path(buckets),
        enable_format_extensions=False,
        metrics_enabled=False,
        log_level=LogLevel.WARNING,
    )
    EmulatorServer(settings).run_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
