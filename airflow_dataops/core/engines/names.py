"""Names of tables as authors write them."""

from __future__ import annotations

import re

from airflow_dataops.core.engines.naming import Naming
from airflow_dataops.core.engines.registry import find_engine
from airflow_dataops.core.model import Relation
from airflow_dataops.errors import ConfigError

_PART = re.compile(r'\s*(?:"((?:[^"]|"")+)"|`([^`]+)`|([^\s."`]+))\s*(?:\.(?!\s*$)|$)')
_MOST = 3


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
    engine = None if dialect is None else find_engine(dialect)
    naming = Naming() if engine is None else engine.naming
    parts, place = [], 0
    while place < len(name):
        found = _PART.match(name, place)
        if found is None:
            break
        parts.append(_part(found, naming))
        place = found.end()
    if place < len(name) or not 0 < len(parts) <= _MOST:
        raise ConfigError(
            f"{name!r} is not the name of a table; write table, schema.table or "
            'database.schema.table, and parts with dots or blanks in double quotes ("a.b").'
        )
    if naming.paths_in_quotes and len(parts) == 1:
        # As BigQuery's console writes it. A project may hold a dot (of a domain), a table does not.
        parts = parts[0].rsplit(".", _MOST - 1)
    identifier, schema, database = (*reversed(parts), None, None)[:_MOST]
    return Relation(identifier=identifier or "", schema=schema, database=database)


def written(relation: Relation) -> str:
    """Return the name that `parse_relation` reads as this relation, on every engine."""
    parts = (relation.database, relation.schema, relation.identifier)
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts if part is not None)


def _part(found: re.Match[str], naming: Naming) -> str:
    if found[1] is not None:
        return found[1].replace('""', '"')
    if found[2] is not None:
        return found[2]
    return naming.folded(found[3])
