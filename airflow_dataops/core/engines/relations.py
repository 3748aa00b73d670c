"""Statements that make, replace and remove tables and views.

The author's query is embedded verbatim, on lines of its own: a comment at its end must not
swallow what follows.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.engines.registry import get_engine
from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation


class RelationKind(StrEnum):
    """What a name stands for in the warehouse."""

    TABLE = "table"
    VIEW = "view"


class Making(Struct, frozen=True):
    """How a table is made.

    Attributes:
        kind: `table` or another word for it.
        columns: its columns and constraints, where they are not the query's alone.
        names: those under which rows are inserted, where the table is made empty.
        clauses: what stands behind its name.
        ordered_by: expressions that its rows are ordered by.
    """

    kind: str = "table"
    columns: str = ""
    names: str = ""
    clauses: str = ""
    ordered_by: str = ""


PLAIN = Making()


def render(relation: Relation, dialect: str) -> str:
    """Return a relation's name, each part quoted."""
    parts = (relation.database, relation.schema, relation.identifier)
    return ".".join(quote(part, dialect) for part in parts if part is not None)


def render_schema(relation: Relation, dialect: str) -> str:
    """Return the name of the schema that a relation lives in; it must have one.

    Where a session has one database, a statement on schemas takes none.
    """
    alone = get_engine(dialect).naming.one_database
    parts = (None if alone else relation.database, relation.schema)
    return ".".join(quote(part, dialect) for part in parts if part is not None)


def subquery(query: str) -> str:
    """Return a query in parentheses, on lines of its own."""
    return f"(\n{query}\n)"


def select_all(relation: Relation, dialect: str) -> str:
    """Return a query for a relation's rows."""
    return f"select * from {render(relation, dialect)}"


def create_table_as(relation: Relation, query: str, dialect: str, making: Making = PLAIN) -> str:
    """Return a statement that makes a new table of a query's rows."""
    return f"create {_described(relation, query, dialect, making)}"


def replace_table_as(relation: Relation, query: str, dialect: str, making: Making = PLAIN) -> str:
    """Return a statement that makes a table of a query's rows in place of an older table."""
    return f"create or replace {_described(relation, query, dialect, making)}"


def _described(relation: Relation, query: str, dialect: str, making: Making) -> str:
    if making.ordered_by:
        query = f"select * from {subquery(query)}\norder by (\n{making.ordered_by}\n)"
    name = f"{render(relation, dialect)}{making.columns}{making.clauses}"
    return f"{making.kind} {name} as {subquery(query)}"


def create_table(relation: Relation, dialect: str, making: Making) -> str:
    """Return a statement that makes an empty table of the columns that are told."""
    return f"create {making.kind} {render(relation, dialect)}{making.columns}{making.clauses}"


def insert_into(relation: Relation, query: str, dialect: str, making: Making) -> str:
    """Return a statement that inserts a query's rows."""
    return f"insert into {render(relation, dialect)} ({making.names}) {subquery(query)}"


def create_view_as(relation: Relation, query: str, dialect: str) -> str:
    """Return a statement that makes a new view."""
    return f"create view {render(relation, dialect)} as {subquery(query)}"


def replace_view_as(relation: Relation, query: str, dialect: str, clauses: str = "") -> str:
    """Return a statement that makes a view, in place of an older view if there is one."""
    return f"create or replace view {render(relation, dialect)}{clauses} as {subquery(query)}"


def create_schema(relation: Relation, dialect: str) -> str:
    """Return a statement that makes the schema of a relation unless it exists."""
    return f"create schema if not exists {render_schema(relation, dialect)}"


def drop(relation: Relation, kind: RelationKind, dialect: str) -> str:
    """Return a statement that removes a table or view if it exists, as dbt's adapter would.

    The views that read it go with it where dbt's adapter has it so.
    """
    return f"drop {kind} if exists {render(relation, dialect)}{with_dependents(dialect)}"


def with_dependents(dialect: str) -> str:
    """Return what DROP ends with so that what depends on its object goes too."""
    return " cascade" if get_engine(dialect).naming.drops_dependents else ""


def rename(relation: Relation, to: str, kind: RelationKind, dialect: str) -> str:
    """Return a statement that gives a table or view another name in the same schema."""
    word: str = kind
    if kind is RelationKind.VIEW:
        word = get_engine(dialect).naming.view_is_renamed_as
    return f"alter {word} {render(relation, dialect)} rename to {quote(to, dialect)}"
