"""Airflow connections to the databases of tests, by environment variables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg

from tests.postgres import postgres_uri

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def connect_postgres(
    monkeypatch: pytest.MonkeyPatch, name: str, database: str | None = None
) -> str:
    """Make a connection to the Postgres of this process, or to a database of it; return its id."""
    server = psycopg.conninfo.conninfo_to_dict(postgres_uri())
    connection = {
        "conn_type": "postgres",
        "login": server["user"],
        "schema": database or server["dbname"],
        "extra": {"host": server["host"]},
    }
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))
    return name


def connect_duckdb(monkeypatch: pytest.MonkeyPatch, name: str, file: Path) -> str:
    """Make a connection to a DuckDB file; return its id."""
    connection = {"conn_type": "duckdb", "host": str(file)}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))
    return name
