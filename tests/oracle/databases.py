"""The databases of the two sides: a DuckDB file each, or a Postgres database each."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import duckdb
import psycopg

from airflow_dataops.core.engines.identifiers import quote
from tests.duckdb_runner import open_duckdb
from tests.postgres import open_postgres, postgres_uri

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from airflow_dataops.core.ports import SqlRunner

ENGINE_ERRORS = (duckdb.Error, psycopg.Error)
_NUMBERS = itertools.count()


class Database(Protocol):
    """One side's database.

    `value` is what the project's profile takes to find it.
    """

    @property
    def value(self) -> str: ...

    def open(self) -> AbstractContextManager[SqlRunner]: ...


@dataclass(frozen=True)
class DuckDBFile:
    """The files of all sides have one name: it is the database's."""

    path: Path

    @classmethod
    def create(cls, project: str, folder: Path) -> DuckDBFile:
        return cls(folder / f"{project}.duckdb")

    @property
    def value(self) -> str:
        return str(self.path)

    def open(self) -> AbstractContextManager[SqlRunner]:
        return open_duckdb(str(self.path))


@dataclass(frozen=True)
class PostgresDatabase:
    """A database of its own on the server that the tests of this process share."""

    value: str

    @classmethod
    def create(cls, project: str, folder: Path) -> PostgresDatabase:
        # One length for all: recorded code has places for values of a run, which are offsets.
        name = f"{project}_{folder.name}_{next(_NUMBERS):07}"
        with open_postgres() as runner:
            runner.execute(f"create database {quote(name, 'postgres')} template template0")
        return cls(name)

    @property
    def uri(self) -> str:
        return psycopg.conninfo.make_conninfo(postgres_uri(), dbname=self.value)

    def open(self) -> AbstractContextManager[SqlRunner]:
        return open_postgres(self.uri)


def postgres_profile(project: str, variable: str, schema: str) -> str:
    """Return the `profiles.yml` of a project on the server that all tests share."""
    server = psycopg.conninfo.conninfo_to_dict(postgres_uri())
    return f"""
{project}:
  target: dev
  outputs:
    dev:
      type: postgres
      host: "{server["host"]}"
      port: {server.get("port", 5432)}
      user: "{server["user"]}"
      password: "{server.get("password", "")}"
      dbname: "{{{{ env_var('{variable}') }}}}"
      schema: {schema}
      threads: 1
"""
