"""Names of tables as authors write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.assets import ascii_lower
from airflow_dataops.core.model import Relation
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

_PART = re.compile(r'\s*(?:"((?:[^"]|"")+)"|`([^`]+)`|([^\s."`]+))\s*(?:\.(?!\s*$)|$)')
_MOST = 3
_FOLD: dict[str, Callable[[str], str]] = {
    "postgres": ascii_lower,
    "snowflake": str.upper,
}
"""How an engine reads a part that is written without quotes."""


def parse_relation(name: str, dialect: str | None = None) -> Relation:
    """Return the table that a name such as `orders` or `shop.sales."Order Lines"` means.

    Args:
        name: one to three parts: database, schema, table. Double quotes or backticks keep
            dots, blanks and capitals.
        dialect: the sqlglot name of the engine whose case rules hold for parts without
            quotes; None to keep them as they are.

    Raises:
        ConfigError: it is no such name.
    """
    parts, place = [], 0
    while place < len(name):
        found = _PART.match(name, place)
        if found is None:
            break
        parts.append(_part(found, dialect))
        place = found.end()
    if place < len(name) or not 0 < len(parts) <= _MOST:
        raise ConfigError(
            f"{name!r} is not the name of a table; write table, schema.table or "
            'database.schema.table, and parts with dots or blanks in double quotes ("a.b").'
        )
    if dialect == "bigquery" and len(parts) == 1:
        # All of it in one pair of backticks, as BigQuery's console writes it. A project may hold
        # a dot (of a domain), a table does not.
        parts = parts[0].rsplit(".", _MOST - 1)
    identifier, schema, database = (*reversed(parts), None, None)[:_MOST]
    return Relation(identifier=identifier or "", schema=schema, database=database)


def written(relation: Relation) -> str:
    """Return the name that `parse_relation` reads as this relation, on every engine."""
    parts = (relation.database, relation.schema, relation.identifier)
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts if part is not None)


def _part(found: re.Match[str], dialect: str | None) -> str:
    if found[1] is not None:
        return found[1].replace('""', '"')
    if found[2] is not None:
        return found[2]
    return _FOLD.get(dialect or "", str)(found[3])
