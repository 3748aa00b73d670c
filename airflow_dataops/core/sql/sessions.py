"""Statements that set up a session of one engine."""

from __future__ import annotations

from airflow_dataops.core.engines.identifiers import literal, quote


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
