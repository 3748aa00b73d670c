"""What the warehouse holds, as models see it: read from the engine's own lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.models import Databases, Names
from airflow_dataops.core.engines.relations import RelationKind
from airflow_dataops.core.engines.statements import MARK, Statement, ask
from airflow_dataops.core.model import Relation, Struct
from airflow_dataops.core.sql.tables import read_table

if TYPE_CHECKING:
    from airflow_dataops.core.ports import SqlRunner

_TIME = re.compile(r"^(TIME(?:STAMP_\w+)?)\(\d\)$")


class Column(Struct, frozen=True):
    """A column of a relation; `type` is the engine's own spelling, such as `DECIMAL(18,3)`."""

    name: str
    type: str


def relation_kind(runner: SqlRunner, relation: Relation) -> RelationKind | None:
    """Return what a relation is, or None when it does not exist."""
    table = read_table(runner, relation)
    if table is None:
        return None
    return RelationKind.VIEW if table.view else RelationKind.TABLE


def columns_of(runner: SqlRunner, relation: Relation) -> tuple[Column, ...]:
    """Return the columns of a relation in their order; none when it does not exist.

    Their types are as dbt's adapter sees them.
    """
    table = read_table(runner, relation)
    if table is None:
        return ()
    seen = str if get_engine(runner.dialect).models.time_digits else _without_digits
    return tuple(Column(name=c.name, type=seen(c.type)) for c in table.columns)


def schema_exists(runner: SqlRunner, relation: Relation) -> bool:
    """Tell whether the schema that a relation lives in exists."""
    dialect = get_engine(runner.dialect).models
    parts = {"schema_name": relation.schema}
    if dialect.databases is Databases.OF_SESSION:
        parts["catalog_name"] = relation.database
    listing = dialect.schemata(relation)
    return bool(ask(_lookup(listing, parts, dialect.names), runner))


def database_exists(runner: SqlRunner, database: str) -> bool:
    """Tell whether statements of the session can name a database (catalog)."""
    dialect = get_engine(runner.dialect).models
    if dialect.databases is Databases.ANY:
        return True  # the engine itself says so where one does not exist
    listing = dialect.schemata(Relation(identifier="", database=database))
    return bool(ask(_lookup(listing, {"catalog_name": database}, dialect.names), runner))


def current_database(runner: SqlRunner) -> str:
    """Return the database that unqualified names belong to."""
    [(name,)] = runner.fetch(f"select {get_engine(runner.dialect).models.current_database}")
    return str(name)


def full_name(relation: Relation, runner: SqlRunner) -> Relation:
    """Return a relation with the session's database and schema where it names none."""
    if relation.database is not None:
        return relation
    if relation.schema is not None:
        return replace(relation, database=current_database(runner))
    database = get_engine(runner.dialect).models.current_database
    [(name, schema)] = runner.fetch(f"select {database}, current_schema()")
    return replace(relation, database=name, schema=schema)


def _without_digits(type_: str) -> str:
    return _TIME.sub(r"\1", type_)


def _lookup(listing: str, parts: dict[str, str | None], names: Names) -> Statement:
    known = {column: value for column, value in parts.items() if value is not None}
    test = "{} = {}" if names is Names.EXACT else "lower({}) = lower({})"
    tests = " and ".join(test.format(column, MARK) for column in known)
    return Statement(
        sql=f"select 1 from {listing} where {tests} limit 1", parameters=tuple(known.values())
    )
