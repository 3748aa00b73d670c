"""References to tables in an author's SQL, moved to where the tables are in this environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from airflow_dataops.core.assets import ascii_lower, stored
from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.relocation import Relocation

_PARTS = (("catalog", "database"), ("db", "schema"), ("this", "alias"))


def relocated(sql: str, relocation: Relocation, dialect: str, where: str) -> str:
    """Return SQL that names tables where they are; all else stays letter by letter.

    Args:
        where: the node, for errors.

    Raises:
        ConfigError: the SQL names what moved and cannot be understood.
    """
    if not _may_name(sql, relocation):
        return sql
    try:
        statements = [each for each in sqlglot.parse(sql, dialect=dialect) if each is not None]
    except SqlglotError as error:
        raise ConfigError(
            f"{where}: relations= cannot be applied, for its SQL is not understood "
            f"({str(error).splitlines()[0]}). Let dbt run it, or compile for this environment."
        ) from None
    edits: dict[tuple[int, int], str] = {}
    for statement in statements:
        _refuse_unknown(statement, relocation, where)
        made = {cte.alias_or_name for cte in statement.find_all(exp.CTE)}
        for table in statement.find_all(exp.Table):
            edits |= _edits(table, relocation, dialect, made)
        for column in statement.find_all(exp.Column):
            if column.args.get("db"):
                edits |= _edits(column, relocation, dialect, made)
    for (start, end), text in sorted(edits.items(), reverse=True):
        sql = sql[:start] + text + sql[end + 1 :]
    return sql


def understood(sql: str, dialect: str) -> bool:
    """Tell whether all that a SQL text names can be found in it."""
    try:
        statements = sqlglot.parse(sql, dialect=dialect)
    except (SqlglotError, ValueError):
        return False
    return not any(each.find(exp.Command) for each in statements if each is not None)


def _may_name(sql: str, relocation: Relocation) -> bool:
    small = ascii_lower(sql)
    names = (*relocation.database, *relocation.schema, *relocation.alias)
    return any(ascii_lower(name.strip('"')) in small for name in names)


def _edits(
    named: exp.Table | exp.Column, relocation: Relocation, dialect: str, made: set[str]
) -> dict[tuple[int, int], str]:
    """Return the new text of parts of a name, by where they stand."""
    edits: dict[tuple[int, int], str] = {}
    new: list[str] = []
    is_bare = not named.args.get("db")
    for key, part in _parts_of(named):
        identifier = named.args.get(key)
        if not isinstance(identifier, exp.Identifier):
            continue
        name = _stored(identifier, relocation.dialect)
        moved = (
            name if part == "alias" and is_bare and name in made else relocation.renamed(part, name)
        )
        new.append(moved)
        start, end = identifier.meta.get("start"), identifier.meta.get("end")
        if moved != name and start is not None and end is not None:
            edits[start, end] = quote(moved, dialect)
    spans = [each.meta.get("start") for key, _ in _parts_of(named) if (each := named.args.get(key))]
    if edits and len(new) > 1 and len(set(spans)) == 1:  # `project.schema.table` in one quotation
        (span,) = edits
        edits = {span: ".".join(quote(each, dialect) for each in new)}
    if edits and isinstance(named, exp.Table) and _is_renamed(named, relocation):
        (start, end), text = max(edits.items())
        edits[start, end] = f"{text} as {quote(named.name, dialect)}"
    return edits


def _parts_of(named: exp.Table | exp.Column) -> Iterator[tuple[str, str]]:
    if isinstance(named, exp.Table):
        yield from _PARTS
    else:
        yield from (("catalog", "database"), ("db", "schema"), ("table", "alias"))


def _is_renamed(table: exp.Table, relocation: Relocation) -> bool:
    """Tell whether columns may be qualified with a name that the table has no more."""
    identifier = table.args.get("this")
    if not isinstance(identifier, exp.Identifier) or not isinstance(
        table.parent, exp.From | exp.Join
    ):
        return False
    name = _stored(identifier, relocation.dialect)
    return not table.alias and relocation.renamed("alias", name) != name


def _stored(identifier: Any, dialect: str | None) -> str:
    name = str(identifier.name)
    return name if identifier.args.get("quoted") else stored(name, dialect)


def _refuse_unknown(statement: Any, relocation: Relocation, where: str) -> None:
    if statement.find(exp.Command):
        raise ConfigError(
            f"{where}: relations= cannot be applied to {statement.sql()[:60]!r}. Let dbt run it, "
            "or compile for this environment."
        )
    for dot in statement.find_all(exp.Dot):
        for identifier in dot.find_all(exp.Identifier):
            name = _stored(identifier, relocation.dialect)
            if any(relocation.renamed(part, name) != name for part in ("database", "schema")):
                raise ConfigError(
                    f"{where}: relations= moves {name!r}, in which the SQL calls "
                    f"{dot.sql()[:60]!r}, a function that may not be there. Let dbt run it, or "
                    "compile for this environment."
                )
