"""Statements that set up a DuckDB session."""

from __future__ import annotations

from airflow_dataops.core.sql.identifiers import literal, quote


def attach(path: str, database: str, *, read_only: bool) -> str:
    """Return a statement that opens a DuckDB file under a name of one's own."""
    mode = " (read_only)" if read_only else ""
    return f"attach {literal(path, 'duckdb')} as {quote(database, 'duckdb')}{mode}"


def use(database: str) -> str:
    """Return a statement that makes a database the one of unqualified names."""
    return f"use {quote(database, 'duckdb')}"
