"""Statements that set up a session of one engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import literal, quote

if TYPE_CHECKING:
    from collections.abc import Mapping


def bound_waits(seconds: int) -> str:
    """Return a Postgres statement that bounds each wait for a lock, unless that is done."""
    return (
        f"select set_config('lock_timeout', '{seconds:d}s', false)"
        " where current_setting('lock_timeout') = '0'"
    )


def bound_lock_waits(seconds: int) -> str:
    """Return a Snowflake statement that bounds each wait for a lock."""
    return f"alter session set lock_timeout = {seconds:d}"


def attach(path: str, database: str, *, read_only: bool) -> str:
    """Return a statement that opens a DuckDB file under a name of one's own."""
    mode = " (read_only)" if read_only else ""
    return f"attach {literal(path, 'duckdb')} as {quote(database, 'duckdb')}{mode}"


def use(database: str) -> str:
    """Return a statement that makes a database the one of unqualified names."""
    return f"use {quote(database, 'duckdb')}"


def threads() -> str:
    """Return the query for the number of DuckDB's threads."""
    return "select current_setting('threads')"


def limit_memory(megabytes: int) -> str:
    """Return a statement that bounds what DuckDB keeps in memory."""
    return f"set memory_limit = '{megabytes}MB'"


def unlimit_memory() -> str:
    """Return a statement that gives DuckDB back its default, four fifths of the machine's."""
    return "reset memory_limit"


def settings(given: Mapping[str, Any], dialect: str) -> list[str]:
    """Return statements that give a session what a dbt profile sets.

    Args:
        given: by name, of those that the engine knows (`SessionSql`).
    """
    statement = get_engine(dialect).session.statement
    if statement is None:
        return []
    return [
        statement.format(
            identifier=quote(name, dialect),
            literal=literal(name, dialect),
            value=_value(given[name], dialect),
        )
        for name in sorted(given)
    ]


def _value(value: Any, dialect: str) -> str:
    return literal(str(value).lower() if isinstance(value, bool) else str(value), dialect)
