"""fakesnow as a server for the unmodified Snowflake connector; a process of its own.

`python -m tests.emulators.snowflake_server PORT CERTIFICATE KEY`. Nine repairs to fakesnow
0.12.1 in server mode:

1. A statement that it does not support is an error of the client's statement. (It answered HTTP
   500, which the connector retries for minutes.)
2. NULL timestamps are NULL. (They came back as 1970-01-01.)
3. A session that logs out rolls back. (It kept its transaction and locks.)
4. Logging in returns a master token, without which the connector never logs out.
5. `ALTER TABLE .. SWAP WITH` swaps, by three renames: not at once, so it cannot prove that.
6. MERGE is DuckDB's own. (It wrote a table of its candidates elsewhere, which DuckDB refuses in a
   transaction that has written already.)
7. Statements run while nobody waits, and so do scripts: see `snowflake_jobs`.
8. A temporary table may be named with its schema; it is an ordinary one. (It was refused.)
9. INFORMATION_SCHEMA.COLUMNS has DATETIME_PRECISION, though no digits are kept. (It had not.)

Setting QUERY_TAG, which it does not know, does nothing.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import fakesnow.arrow
import fakesnow.cursor
import fakesnow.info_schema
import fakesnow.server
import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
import uvicorn
from snowflake.connector.errors import OperationalError, ProgrammingError
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.emulators import snowflake_jobs

if TYPE_CHECKING:
    from starlette.requests import Request

_SWAP = re.compile(r"\s*alter\s+table\s+(\S+)\s+swap\s+with\s+(\S+?)\s*;?\s*", re.IGNORECASE)
_IGNORED = re.compile(
    r"\s*alter\s+session\s+set\s+(query_tag|abort_detached_query)\b", re.IGNORECASE
)
_TEMPORARY = re.compile(r"^\s*create\s+temporary\s+table\s+", re.IGNORECASE)
_CREATE = re.compile(r"\s*create\b", re.IGNORECASE)
_MERGE = re.compile(r"\s*merge\s+into\b", re.IGNORECASE)
_LAST_PART = re.compile(r'("(?:[^"]|"")+"|[^".]+)$')

_execute = fakesnow.cursor.FakeSnowflakeCursor.execute
_to_struct = fakesnow.arrow.timestamp_to_sf_struct


def execute(cursor: Any, command: str, *args: Any, **kwargs: Any) -> Any:
    """Run a statement; whatever goes wrong is the statement's error."""
    try:
        if swap := _SWAP.fullmatch(command):
            return _swap(cursor, *swap.groups())
        command = _TEMPORARY.sub("create table ", command, count=1)
        if _MERGE.match(command):
            return _merge(cursor, command, **kwargs)
        if _IGNORED.match(command):
            command, kwargs = "select 'Statement executed successfully.' as status", {}
        told = snowflake_jobs.execute(cursor, command, lambda sql: execute(cursor, sql, **kwargs))
        if told is not None:
            return told
        return _execute(cursor, command, *args, **kwargs)
    except (ProgrammingError, OperationalError):
        raise
    except Exception as error:
        said = f"fakesnow: {type(error).__name__}: {error}"
        state = "40001" if isinstance(error, duckdb.TransactionException) else "0A000"
        if isinstance(error, duckdb.ConstraintException) and "Duplicate key" in str(error):
            # Two made a table at once, and fakesnow's notes of it collide; or the key of two
            # rows is one, which Snowflake does not mind.
            state = "42710" if _CREATE.match(command) else "23505"
        raise ProgrammingError(msg=said, errno=9999, sqlstate=state) from error


def timestamps(values: Any) -> Any:
    """Encode timestamps with their NULLs."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if not values.null_count:
        return _to_struct(values)
    struct = _to_struct(values.fill_null(0))
    fields = [struct.field(i) for i in range(struct.type.num_fields)]
    return pa.StructArray.from_arrays(fields, fields=list(struct.type), mask=pc.is_null(values))


class Sessions(dict[str, Any]):
    """Sessions by token; one that goes leaves no transaction."""

    def __delitem__(self, token: str) -> None:
        with contextlib.suppress(duckdb.Error):  # without a transaction
            self[token]._duck_conn.rollback()
        super().__delitem__(token)


async def log_in(request: Request) -> JSONResponse:
    """Answer with a master token besides."""
    answer = json.loads(bytes((await fakesnow.server.login_request(request)).body))
    answer["data"]["masterToken"] = "master"
    return JSONResponse(answer)


def _merge(cursor: Any, command: str, **kwargs: Any) -> Any:
    [statement] = sqlglot.transpile(command, read="snowflake", write="duckdb")
    [(rows,)] = cursor._duck_conn.execute(statement).fetchall()
    return _execute(cursor, f'select {rows} as "number of rows inserted"', **kwargs)


def _swap(cursor: Any, one: str, other: str) -> Any:
    names = [_LAST_PART.search(name) for name in (one, other)]
    short = [name[1] for name in names if name]
    between = "dataops_swapped"
    schema = one[: -len(short[0])]
    _execute(cursor, f"alter table {one} rename to {between}")
    _execute(cursor, f"alter table {other} rename to {short[0]}")
    return _execute(cursor, f"alter table {schema}{between} rename to {short[1]}")


def main(port: int, certificate: str, key: str) -> None:
    """Serve until the process ends."""
    fakesnow.cursor.FakeSnowflakeCursor.execute = execute  # type: ignore[method-assign]
    fakesnow.arrow.timestamp_to_sf_struct = timestamps
    fakesnow.server.sessions = Sessions()
    listing = fakesnow.info_schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW
    fakesnow.server.shared_fs.duck_conn.execute(
        listing.replace("create view if not exists", "create or replace view").replace(
            "COLLATION_NAME,", "COLLATION_NAME, null::INTEGER as DATETIME_PRECISION,"
        )
    )
    login = Route("/session/v1/login-request", log_in, methods=["POST"])
    query = "/queries/v1/query-request"
    jobs = Route("/monitoring/queries/{sfqid}", snowflake_jobs.monitoring, methods=["GET"])
    app = Starlette(
        routes=[
            login,
            Route(query, snowflake_jobs.query_request, methods=["POST"]),
            jobs,
            *fakesnow.server.routes[1:],
        ]
    )
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
