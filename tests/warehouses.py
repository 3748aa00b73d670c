"""Warehouses for the tests of loads: one engine each, with a schema of its own for each test.

To add an engine, write an `Engine` and list it in `ENGINES`; what it cannot show goes into its
`gaps`.
"""

from __future__ import annotations

import itertools
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote, quote_all
from airflow_dataops.core.engines.loads import Locks
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.model import Relation
from tests import accounts
from tests.duckdb_runner import DuckDBRunner
from tests.emulators import bigquery_gaps, redshift_gaps, snowflake_gaps
from tests.postgres import PostgresRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from airflow_dataops.core.ports import SqlRunner

_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Engine:
    """Attributes:
    types: the engine's spelling of the types that the tests name.
    open: makes a warehouse whose sessions can be opened repeatedly in the block.
    gaps: reason by test (its function's name) that the engine cannot show: an emulator's
        gaps, never a real engine's.
    """

    name: str
    types: Mapping[str, str]
    open: Callable[[], AbstractContextManager[Callable[[], SqlRunner]]]
    gaps: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def _duckdb() -> Iterator[Callable[[], SqlRunner]]:
    with duckdb.connect(config={"threads": 1}) as database:
        yield lambda: DuckDBRunner(database.cursor())


@contextmanager
def _postgres() -> Iterator[Callable[[], SqlRunner]]:
    opened: list[PostgresRunner] = []

    def connect() -> SqlRunner:
        opened.append(PostgresRunner())
        return opened[-1]

    yield connect
    for runner in opened:
        runner.close()


@contextmanager
def _snowflake() -> Iterator[Callable[[], SqlRunner]]:
    from tests.emulators import snowflake

    with snowflake.sessions() as connect:
        yield connect


@contextmanager
def _bigquery() -> Iterator[Callable[[], SqlRunner]]:
    from tests.emulators import bigquery

    with bigquery.sessions() as connect:
        yield connect


@contextmanager
def _redshift() -> Iterator[Callable[[], SqlRunner]]:
    from tests.emulators import redshift

    with redshift.sessions() as connect:
        yield connect


_TYPES = {
    "int": "integer",
    "bigint": "bigint",
    "text": "varchar",
    "time": "timestamp",
    "zoned": "timestamptz",
    "date": "date",
    "bool": "boolean",
    "decimal": "decimal(18,2)",
    "float": "double precision",
}
_SNOWFLAKE_TYPES = _TYPES | {"time": "timestamp_ntz", "zoned": "timestamp_tz"}
_BIGQUERY_TYPES = {
    "int": "int64",
    "bigint": "int64",
    "text": "string",
    "time": "datetime",
    "zoned": "timestamp",
    "date": "date",
    "bool": "bool",
    "decimal": "numeric(18, 2)",
    "float": "float64",
    "uuid": "string",
    "varchar not null": "string not null",
}
ENGINES = {
    engine.name: engine
    for engine in (
        Engine("bigquery", _BIGQUERY_TYPES, _bigquery, bigquery_gaps.LOADS),
        Engine("duckdb", _TYPES, _duckdb),
        Engine("postgres", _TYPES, _postgres),
        Engine("redshift", _TYPES | {"text": "varchar(65535)"}, _redshift, redshift_gaps.LOADS),
        Engine("snowflake", _SNOWFLAKE_TYPES, _snowflake, snowflake_gaps.LOADS),
    )
}
EMULATED = {"bigquery", "redshift", "snowflake"}
"""The engines that are no real servers."""

_CONTROL = ("dataops_leases", "dataops_receipts", "dataops_watermarks")


class Warehouse:
    """One engine, with a schema of its own.

    Attributes:
        runner: a session; `session()` opens more.
    """

    def __init__(self, engine: Engine, session: Callable[[], SqlRunner]) -> None:
        self.engine = engine
        self.session = session
        self.runner = session()
        self.schema = f"test_{os.getpid()}_{next(_NUMBERS)}"
        self.runner.execute(f"create schema {self._quote(self.schema)}")

    def relation(self, name: str) -> Relation:
        """Name a table; a control table by its plain name, also where each target has its own."""
        if name in _CONTROL and get_engine(self.dialect).loads.locks is Locks.TABLES:
            found = [n for n in self._tables() if n.startswith(f"{name}__")]
            name = min(found, default=name)
        return Relation(identifier=name, schema=self.schema)

    def table(
        self,
        name: str,
        columns: Mapping[str, str],
        rows: Sequence[Sequence[Any]] = (),
        *,
        key: Sequence[str] = (),
    ) -> Relation:
        """Make a table; types are names of `Engine.types`, or the engine's own."""
        relation = self.relation(name)
        listed = [f"{self._quote(c)} {self._type(t)}" for c, t in columns.items()]
        if key:
            declared = get_engine(self.dialect).loads.primary_key
            listed.append(declared.format(quote_all(key, self.dialect)))
        self.runner.execute(f"create table {self.sql(relation)} ({', '.join(listed)})")
        self.add(relation, tuple(columns), rows)
        return relation

    def source(
        self, columns: Mapping[str, str], rows: Sequence[Sequence[Any]] = (), name: str = ""
    ) -> Query:
        """Make a table of rows and return the query that reads it."""
        relation = self.table(name or f"source_{next(_NUMBERS)}", columns, rows)
        return Query(sql=f"select * from {self.sql(relation)}")

    def add(
        self, relation: Relation, columns: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> None:
        if not rows:
            return
        mark = self.runner.placeholder
        # Bound, a NULL is of some type; on BigQuery, of a wrong one.
        listed = ", ".join(
            f"({', '.join('null' if v is None else mark for v in row)})" for row in rows
        )
        into = f"{self.sql(relation)} ({quote_all(columns, self.dialect)})"
        into = into.replace("%", "%%" if mark == "%s" else "%")
        self.runner.execute(
            f"insert into {into} values {listed}",
            [v for v in itertools.chain.from_iterable(rows) if v is not None],
        )

    def rows(self, relation: Relation, *columns: str) -> list[tuple[Any, ...]]:
        """Return a table's rows, sorted; NULL last."""
        names = quote_all(columns, self.dialect) if columns else "*"
        found = self.runner.fetch(f"select {names} from {self.sql(relation)}")
        return sorted(found, key=lambda row: [(value is None, value or 0) for value in row])

    def tables(self) -> set[str]:
        """Return the names of the schema's tables and of the session's temporary ones.

        Control tables go by their plain names.
        """
        plain = {name: name.partition("__")[0] for name in self._tables()}
        return {short if short in _CONTROL else name for name, short in plain.items()}

    def _tables(self) -> set[str]:
        found = self.runner.fetch(
            f"select table_catalog, table_schema, table_name from {self._listing}.TABLES"
        )
        return {
            name
            for catalog, schema, name in found
            if schema == self.schema or schema.startswith("pg_temp") or catalog == "temp"
        }

    def sql(self, relation: Relation) -> str:
        return render(relation, self.dialect)

    @property
    def dialect(self) -> str:
        return self.runner.dialect

    @property
    def _listing(self) -> str:
        if self.dialect == "bigquery":
            return f"{self._quote(self.schema)}.INFORMATION_SCHEMA"
        return "system.information_schema" if self.dialect == "duckdb" else "information_schema"

    def _quote(self, name: str) -> str:
        return quote(name, self.dialect)

    def _type(self, name: str) -> str:
        return self.engine.types.get(name, name)


@contextmanager
def open_warehouse(name: str) -> Iterator[Warehouse]:
    """Open an engine by its name."""
    engine = ENGINES[name]
    with engine.open() as session:
        warehouse = Warehouse(engine, session)
        try:
            yield warehouse
        finally:
            if name in EMULATED and accounts.connection(name):
                warehouse.runner.execute(f"drop schema {quote(warehouse.schema, name)} cascade")
