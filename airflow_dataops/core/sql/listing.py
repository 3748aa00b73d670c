"""Which of many tables there are, and with which columns: a statement for hundreds of them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.model import Relation, Struct
from airflow_dataops.core.sql.catalog import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.ports import SqlRunner

CHUNK = 500
"""Tables asked for in one statement; each binds two values."""

_NAMED = "table_schema, table_name, column_name, data_type, is_nullable, ordinal_position"
_POSTGRES = """(select n.nspname as table_schema, c.relname as table_name,
  a.attname as column_name, pg_catalog.format_type(a.atttypid, a.atttypmod) as data_type,
  case when a.attnotnull then 'NO' else 'YES' end as is_nullable, a.attnum as ordinal_position
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_attribute as a on a.attrelid = c.oid
where c.relkind in ('r', 'p', 'f', 'v', 'm') and a.attnum > 0 and not a.attisdropped) as listed"""
_NAMELESS = (
    "BigQuery needs project.dataset.table. For a table of another warehouse name its Airflow "
    "connection: conn_id, or --conn-id."
)
_HOME = {
    "postgres": "current_database(), current_schema()",
    "duckdb": "current_database(), current_schema()",
    "snowflake": "current_database(), current_schema()",
}


class Listed(Struct, frozen=True):
    """A table that is there, named as the warehouse names it."""

    relation: Relation
    columns: tuple[Column, ...]
    required: frozenset[str] = frozenset()
    """Columns that take no NULL."""


def find_tables(
    runner: SqlRunner, relations: Sequence[Relation]
) -> tuple[dict[Relation, Listed], dict[Relation, str]]:
    """Look up tables, some of which may not be there.

    Names are compared as they are, or else without regard to case.

    Returns:
        What was found, by the name that was asked for; and why the rest was not.
    """
    found: dict[Relation, Listed] = {}
    failed: dict[Relation, str] = {}
    asked_for = relations
    if runner.dialect == "bigquery":
        nameless = [each for each in relations if not each.schema]
        failed |= dict.fromkeys(nameless, _NAMELESS)
        relations = [each for each in relations if each.schema]
    for group in _groups(runner, relations).values():
        for start in range(0, len(group), CHUNK):
            part = group[start : start + CHUNK]
            try:
                listed = _look(runner, [full for _, full in part])
            except Exception as error:  # noqa: BLE001 - each driver has a tree of its own
                failed |= {asked: f"Its schema cannot be read: {error}" for asked, _ in part}
                continue
            found |= _matches(part, listed)
    missing = [each for each in asked_for if each not in found and each not in failed]
    failed |= {each: f"There is no table {each}, or it may not be seen." for each in missing}
    return found, failed


def _groups(
    runner: SqlRunner, relations: Sequence[Relation]
) -> dict[tuple[str, str], list[tuple[Relation, Relation]]]:
    """Group (as asked, in full) by the listing that they are in."""
    home: tuple[str, str] | None = None
    groups: dict[tuple[str, str], list[tuple[Relation, Relation]]] = defaultdict(list)
    for asked in dict.fromkeys(relations):
        full = asked
        if runner.dialect in _HOME and (asked.database is None or asked.schema is None):
            home = home or _home(runner)
            full = Relation(
                database=asked.database or home[0],
                schema=asked.schema or home[1],
                identifier=asked.identifier,
            )
        schema = full.schema or "" if runner.dialect == "bigquery" else ""
        groups[full.database or "", schema].append((asked, full))
    return groups


def _home(runner: SqlRunner) -> tuple[str, str]:
    [(database, schema)] = runner.fetch(f"select {_HOME[runner.dialect]}")
    return str(database), str(schema)


def _look(runner: SqlRunner, relations: Sequence[Relation]) -> list[Listed]:
    listing, condition, bound = _from(runner, relations)
    sql = f"select {_NAMED}\nfrom {listing}\nwhere {condition}"
    order = "\norder by table_schema, table_name, ordinal_position"
    rows: dict[tuple[str, str], list[tuple[str, str, str]]] = defaultdict(list)
    for schema, table, column, type_, nullable, _ in runner.fetch(sql + order, bound):
        rows[schema, table].append((column, type_, nullable))
    return [
        Listed(
            relation=Relation(database=relations[0].database, schema=schema, identifier=table),
            columns=tuple(Column(name=name, type=type_) for name, type_, _ in columns),
            required=frozenset(name for name, _, nullable in columns if nullable == "NO"),
        )
        for (schema, table), columns in rows.items()
    ]


def _from(runner: SqlRunner, relations: Sequence[Relation]) -> tuple[str, str, list[str]]:
    """Return the listing, the condition on it, and what is bound there."""
    dialect, first, mark = runner.dialect, relations[0], runner.placeholder
    if dialect == "bigquery":
        parts = (first.database, first.schema)
        room = ".".join(quote(part, dialect) for part in parts if part)
        marks = ", ".join([mark] * len(relations))
        names = [relation.identifier for relation in relations]
        return f"{room}.INFORMATION_SCHEMA.COLUMNS", f"table_name in ({marks})", names
    pairs = ", ".join([f"(lower({mark}), lower({mark}))"] * len(relations))
    condition = f"(lower(table_schema), lower(table_name)) in ({pairs})"
    bound = [part for each in relations for part in (each.schema or "", each.identifier)]
    if dialect == "postgres":
        bound.append(first.database or "")
        return _POSTGRES, f"{condition}\n  and current_database() = {mark}", bound
    if dialect == "duckdb":
        bound.append(first.database or "")
        listing = "system.information_schema.columns"
        return listing, f"{condition}\n  and lower(table_catalog) = lower({mark})", bound
    return f"{quote(first.database or '', dialect)}.information_schema.columns", condition, bound


def _matches(
    asked: Sequence[tuple[Relation, Relation]], listed: Sequence[Listed]
) -> dict[Relation, Listed]:
    """Find each table by its name as it is, or else without regard to case."""
    exact = {_names(each.relation): each for each in listed}
    folded: dict[tuple[str, str], Listed] = {}
    for each in listed:
        folded.setdefault(_folded(each.relation), each)
    found = {}
    for name, full in asked:
        hit = exact.get(_names(full)) or folded.get(_folded(full))
        if hit is not None:
            found[name] = hit
    return found


def _names(relation: Relation) -> tuple[str, str]:
    return relation.schema or "", relation.identifier


def _folded(relation: Relation) -> tuple[str, str]:
    schema, name = _names(relation)
    return schema.casefold(), name.casefold()
