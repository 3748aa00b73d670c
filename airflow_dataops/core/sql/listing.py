"""Which of many tables there are, and with which columns: a statement for hundreds of them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.model import Relation, Struct
from airflow_dataops.core.sql.catalog import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.ports import SqlRunner

CHUNK = 500
"""Tables asked for in one statement; each binds two values."""

_NAMED = "table_schema, table_name, column_name, data_type, is_nullable, ordinal_position"


class Listed(Struct, frozen=True):
    """A table that is there, named as the warehouse names it."""

    relation: Relation
    columns: tuple[Column, ...]
    required: frozenset[str] = frozenset()
    """Columns that take no NULL."""


def find_tables(
    runner: SqlRunner, relations: Sequence[Relation]
) -> tuple[dict[Relation, Listed], dict[Relation, str | Exception]]:
    """Look up tables, some of which may not be there.

    Names are compared as they are, or else without regard to case.

    Returns:
        What was found, by the name that was asked for; and why the rest was not: a sentence, or
        the error where the warehouse could not be asked.
    """
    found: dict[Relation, Listed] = {}
    failed: dict[Relation, str | Exception] = {}
    asked_for = relations
    lookup = get_engine(runner.dialect).lookup
    if lookup.home is None:
        nameless = [each for each in relations if not each.schema]
        failed |= dict.fromkeys(nameless, lookup.nameless)
        relations = [each for each in relations if each.schema]
    for group in _groups(runner, relations).values():
        for start in range(0, len(group), CHUNK):
            part = group[start : start + CHUNK]
            try:
                listed = _look(runner, [full for _, full in part])
            except Exception as error:  # noqa: BLE001 - each driver has a tree of its own
                failed |= {asked: error for asked, _ in part}
                continue
            found |= _matches(part, listed)
    missing = [each for each in asked_for if each not in found and each not in failed]
    failed |= {each: f"There is no table {each}, or it may not be seen." for each in missing}
    return found, failed


def _groups(
    runner: SqlRunner, relations: Sequence[Relation]
) -> dict[tuple[str, str], list[tuple[Relation, Relation]]]:
    """Group (as asked, in full) by the listing that they are in."""
    lookup = get_engine(runner.dialect).lookup
    home: tuple[str, str] | None = None
    groups: dict[tuple[str, str], list[tuple[Relation, Relation]]] = defaultdict(list)
    for asked in dict.fromkeys(relations):
        full = asked
        if lookup.home is not None and (asked.database is None or asked.schema is None):
            home = home or _home(runner, lookup.home)
            full = Relation(
                database=asked.database or home[0],
                schema=asked.schema or home[1],
                identifier=asked.identifier,
            )
        schema = full.schema or "" if lookup.by_schema else ""
        groups[full.database or "", schema].append((asked, full))
    return groups


def _home(runner: SqlRunner, asked: str) -> tuple[str, str]:
    [(database, schema)] = runner.fetch(f"select {asked}")
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
    lookup, first, mark = get_engine(runner.dialect).lookup, relations[0], runner.placeholder
    listing = lookup.listing(first)
    if lookup.by_schema:
        marks = ", ".join([mark] * len(relations))
        return listing, f"table_name in ({marks})", [each.identifier for each in relations]
    pairs = ", ".join([f"(lower({mark}), lower({mark}))"] * len(relations))
    condition = f"(lower(table_schema), lower(table_name)) in ({pairs})"
    bound = [part for each in relations for part in (each.schema or "", each.identifier)]
    if lookup.in_database is not None:
        condition += f"\n  and {lookup.in_database.format(mark)}"
        bound.append(first.database or "")
    return listing, condition, bound


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
