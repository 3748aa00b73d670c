"""Postgres in Redshift's place: its own driver over its own wire, as far as both go alike.

What Redshift has and Postgres has not is made in a database of its own; what it has not, and
Postgres has, is refused by `redshift_grammar`. What neither can show is in `redshift_gaps`.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import conninfo

from tests import accounts
from tests.emulators.redshift_grammar import as_redshift_reads
from tests.postgres import postgres_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_dataops.core.ports import SqlRunner

_MADE = """
create view svv_columns as select table_catalog, table_schema, table_name, column_name,
  ordinal_position, column_default, is_nullable, data_type from information_schema.columns;
create function getdate() returns timestamp language sql as
  'select date_trunc(''second'', cast(clock_timestamp() as timestamp))';
create function pg_get_late_binding_view_cols() returns setof record language sql as
  'select cast('''' as name), cast('''' as name), cast('''' as name), cast('''' as varchar), 0
   where false';
create table sys_query_detail (table_id oid, step_name text, start_time timestamp);
"""
_KNOWN = (b"user", b"database", b"application_name")
"""What Postgres takes of the driver's first message; the rest it would refuse."""


@lru_cache(maxsize=1)
def redshift_connection() -> str:
    """Start the server unless it runs; return an Airflow connection, as JSON."""
    known = conninfo.conninfo_to_dict(postgres_uri())
    with psycopg.connect(postgres_uri(), autocommit=True) as session:
        session.execute("create database redshift")
    with psycopg.connect(postgres_uri(), dbname="redshift", autocommit=True) as session:
        session.execute(_MADE)
    listening = socket.create_server(("127.0.0.1", 0))
    path = f"{known['host']}/.s.PGSQL.{known.get('port', 5432)}"
    threading.Thread(target=_serve, args=(listening, path), daemon=True).start()
    return json.dumps(
        {
            "conn_type": "redshift",
            "host": "127.0.0.1",
            "port": listening.getsockname()[1],
            "login": known["user"],
            "password": "none",
            "schema": "redshift",
            "extra": {"ssl": False},
        }
    )


def _serve(listening: socket.socket, path: str) -> None:
    while True:
        client, _ = listening.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(path)
        server.sendall(_first_message(client))
        for pair in ((client, server), (server, client)):
            threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _first_message(client: socket.socket) -> bytes:
    (size,) = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))
    body = client.recv(size - 4, socket.MSG_WAITALL)
    words = body[4:].split(b"\0")
    kept = b"".join(
        key + b"\0" + value + b"\0"
        for key, value in zip(words[::2], words[1::2], strict=False)
        if key in _KNOWN
    )
    message = body[:4] + kept + b"\0"
    return struct.pack("!i", len(message) + 4) + message


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class _Checked:
    """A session whose statements are such that Redshift takes them."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.dialect = session.dialect
        self.placeholder = session.placeholder

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        return int(self.session.execute(as_redshift_reads(sql), parameters))

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.session.fetch(as_redshift_reads(sql), parameters)
        return found

    def transaction(self) -> Any:
        return self.session.transaction()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)


@contextmanager
def sessions() -> Iterator[Callable[[], SqlRunner]]:
    """Yield what opens a session, on the account that is named or else on Postgres."""
    from airflow.models.connection import Connection
    from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

    from airflow_dataops.hooks.connectors import find_connector
    from airflow_dataops.hooks.sql_runner import connect

    given = accounts.connection("redshift")
    connection = Connection.from_json(given or redshift_connection(), conn_id="redshift")
    connector = find_connector("redshift")
    assert connector is not None
    with ExitStack() as opened:

        def open_one() -> SqlRunner:
            hook = RedshiftSQLHook()
            hook.get_connection = lambda _: connection
            session = connect(hook, connector)
            opened.callback(session.close)
            return session if given else _Checked(session)

        yield open_one
