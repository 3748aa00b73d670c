"""Loads files into a table of DuckDB that holds a row already, which has to stay on an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.specs import Append, Attempt, Load, Replace
from airflow_dataops.core.model import Relation
from airflow_dataops.errors import DataOpsError, RunError
from tests.duckdb_runner import DuckDBRunner

if TYPE_CHECKING:
    from airflow_dataops.core.loads.sources import Source

TARGET = Relation(identifier="arrived", schema="main")


def load(runner: Any, source: Source, *, create: bool = True) -> list[tuple[Any, ...]]:
    """Load a source into a table, made for it if need be; return its rows."""
    attempt = Attempt(owner="shop.orders", run_id="monday")
    verb = Replace() if create else Append()
    run_load(Load(target=TARGET, verb=verb, attempt=attempt, create=create), source, runner)
    return runner.fetch("select * from arrived")  # type: ignore[no-any-return]


def loaded(source: Source) -> list[tuple[Any, ...]]:
    """Load a source into a table made for it, in a database of its own."""
    with duckdb.connect() as connection:
        return load(DuckDBRunner(connection), source)


def types_loaded(source: Source) -> list[str]:
    """Load a source into a table made for it; return the types of its columns."""
    with duckdb.connect() as connection:
        runner = DuckDBRunner(connection)
        load(runner, source)
        query = "select data_type from duckdb_columns() where table_name = 'arrived'"
        return [type_ for (type_,) in runner.fetch(f"{query} order by column_index")]


def refused(
    source: Source,
    match: str,
    columns: str = "old varchar",
    kind: type[DataOpsError] = RunError,
) -> None:
    """Assert that a load fails with an error, that its target is as it was, and nothing is left."""
    with duckdb.connect() as connection:
        runner = DuckDBRunner(connection)
        runner.execute(f"create table arrived ({columns})")
        runner.execute("insert into arrived default values")
        before = runner.fetch("select * from arrived")
        with pytest.raises(kind, match=match):
            load(runner, source, create=False)
        assert runner.fetch("select * from arrived") == before
        left = "select table_name from duckdb_tables() where table_name like '%stg%'"
        assert runner.fetch(left) == []
