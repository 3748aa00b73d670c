"""What the warehouse holds: read from the engine's own lists, names bound as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.model import Relation, Struct
from airflow_dataops.core.sql.dialects import Names, get_dialect
from airflow_dataops.core.sql.relations import RelationKind

if TYPE_CHECKING:
    from airflow_dataops.core.ports import SqlRunner


class Column(Struct, frozen=True):
    """A column of a relation; `type` is the engine's own spelling, such as `DECIMAL(18,3)`."""

    name: str
    type: str


def relation_kind(runner: SqlRunner, relation: Relation) -> RelationKind | None:
    """Return what a relation is, or None when it does not exist."""
    where, parameters = _matching(runner, relation)
    listing = get_dialect(runner.dialect).listings.tables
    rows = runner.fetch(f"select table_type from {listing} where {where}", parameters)
    if not rows:
        return None
    return RelationKind.VIEW if rows[0][0] == "VIEW" else RelationKind.TABLE


def columns_of(runner: SqlRunner, relation: Relation) -> tuple[Column, ...]:
    """Return the columns of a relation in their order; none when it does not exist."""
    return _columns(runner, *_matching(runner, relation))


def columns_of_temporary(runner: SqlRunner, name: str) -> tuple[Column, ...]:
    """Return the columns of one of this session's temporary tables."""
    where, parameters = _conditions(runner, {"table_name": name})
    return _columns(runner, f"{get_dialect(runner.dialect).temporary} and {where}", parameters)


def schema_exists(runner: SqlRunner, relation: Relation) -> bool:
    """Tell whether the schema that a relation lives in exists."""
    parts = {"catalog_name": relation.database, "schema_name": relation.schema}
    where, parameters = _conditions(runner, parts)
    listing = get_dialect(runner.dialect).listings.schemata
    return bool(runner.fetch(f"select 1 from {listing} where {where}", parameters))


def database_exists(runner: SqlRunner, database: str) -> bool:
    """Tell whether the session knows a database (catalog) of that name."""
    where, parameters = _conditions(runner, {"catalog_name": database})
    listing = get_dialect(runner.dialect).listings.schemata
    return bool(runner.fetch(f"select 1 from {listing} where {where} limit 1", parameters))


def current_database(runner: SqlRunner) -> str:
    """Return the database that unqualified names belong to."""
    [(name,)] = runner.fetch(f"select {get_dialect(runner.dialect).current_database}")
    return str(name)


def _columns(runner: SqlRunner, where: str, parameters: list[str]) -> tuple[Column, ...]:
    listing = get_dialect(runner.dialect).listings.columns
    rows = runner.fetch(
        f"select column_name, data_type from {listing} where {where} order by ordinal_position",
        parameters,
    )
    return tuple(Column(name=name, type=type_) for name, type_ in rows)


def _matching(runner: SqlRunner, relation: Relation) -> tuple[str, list[str]]:
    return _conditions(
        runner,
        {
            "table_catalog": relation.database,
            "table_schema": relation.schema,
            "table_name": relation.identifier,
        },
    )


def _conditions(runner: SqlRunner, parts: dict[str, str | None]) -> tuple[str, list[str]]:
    known = {column: value for column, value in parts.items() if value is not None}
    exact = get_dialect(runner.dialect).names is Names.EXACT
    test = "{} = {}" if exact else "lower({}) = lower({})"
    tests = [test.format(column, runner.placeholder) for column in known]
    return " and ".join(tests), list(known.values())
