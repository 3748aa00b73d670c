"""Databases in the Postgres of the tests, for Airflow's metadata.

On SQLite, a scheduler that sees the runs of a backfill that is still being made may end: Airflow
takes them back while it makes them, and does not survive that they are gone.
"""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.postgres import postgres_uri


def database(name: str) -> str:
    """Make an empty database and return its address."""
    uri = postgres_uri()
    with psycopg.connect(uri, autocommit=True) as session:
        quoted = sql.Identifier(name)
        session.execute(sql.SQL("drop database if exists {} with (force)").format(quoted))
        session.execute(sql.SQL("create database {}").format(quoted))
    return address(name)


def address(name: str) -> str:
    """Return the address of a database."""
    return urlunsplit(urlsplit(postgres_uri())._replace(path=f"/{name}"))


def environment(uri: str) -> dict[str, str]:
    """Return what has Airflow keep its metadata there."""
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _with_driver(uri, "psycopg2"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": _with_driver(uri, "asyncpg"),
    }


def _with_driver(uri: str, driver: str) -> str:
    return uri.replace("postgresql://", f"postgresql+{driver}://")
