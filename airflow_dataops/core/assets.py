"""What a table's asset is called: one name, whoever writes or reads the table, however it is spelt.

`dataops://<conn_id>/<database>/<schema>/<table>`, each part percent-encoded, missing ones left
out. Engines keep the case of a name in different ways, so a part is written in small letters
where it is what the engine makes of a name without quotes, and as it is stored, in double quotes,
where it is not: `shop.orders` is one asset on every engine, `"Orders"` is another one on those
that tell them apart.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation

SCHEME = "dataops://"

_CASE_IS_NOTHING = frozenset({"athena", "databricks", "duckdb", "fabric", "spark", "trino"})
"""The engines on which `"Orders"` and `orders` are one table."""

_STORES_CAPITALS = frozenset({"oracle", "snowflake"})
"""The engines that store a name without quotes in capitals; others in small letters, or as is."""

_STORES_SMALL = frozenset({"postgres", "redshift"})
"""The engines that store a name without quotes in small letters."""

_PART = r"[a-z_][a-z0-9_-]*"
_PLAIN = re.compile(rf"{_PART}\.{_PART}\.{_PART}")
_SMALL = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})


def asset_name(relation: Relation, conn_id: str, dialect: str | None) -> str:
    """Return the name, and uri, of a table's asset.

    Args:
        relation: as the warehouse stores it.
        conn_id: the Airflow connection of the warehouse.
        dialect: the engine, whose rules of case hold; None where it is unknown.
    """
    front = _front(conn_id, relation.database, relation.schema, dialect)
    return f"{front}{encoded(canonical(relation.identifier, dialect))}"


@lru_cache(maxsize=256)
def _front(conn_id: str, database: str | None, schema: str | None, dialect: str | None) -> str:
    """Return what goes before the table: a project's thousands of tables share a few of these."""
    parts = [encoded(canonical(part, dialect)) for part in (database, schema) if part]
    return "/".join([SCHEME + encoded(conn_id), *parts, ""])


def table_path(relation: Relation, dialect: str | None) -> str:
    """Return the part of an asset's name that tells the table: `shop/main/orders`."""
    parts = (relation.database, relation.schema, relation.identifier)
    return "/".join([encoded(canonical(part, dialect)) for part in parts if part])


def canonical(part: str, dialect: str | None) -> str:
    """Return a part of a stored name so that a spelling without quotes is in small letters."""
    small = ascii_lower(part)
    if dialect in _CASE_IS_NOTHING:
        return small
    unquoted = part.upper() if dialect in _STORES_CAPITALS else small
    return small if part == unquoted else f'"{part}"'


def folds(dialect: str | None) -> bool:
    """Tell whether an engine, as dbt's adapter has it, stores names without quotes in one case."""
    return dialect in _STORES_CAPITALS or dialect in _STORES_SMALL


def stored(name: str, dialect: str | None) -> str:
    """Return what an engine, as dbt's adapter has it, makes of a name without quotes."""
    if dialect in _STORES_CAPITALS:
        return name.upper()
    return ascii_lower(name) if dialect in _STORES_SMALL else name


def is_plain(table: str) -> bool:
    """Tell whether a name means the same table on every engine, whatever the session's defaults.

    It has three parts, in small letters and without quotes.
    """
    return _PLAIN.fullmatch(table) is not None


def label(name: str) -> str:
    """Return what people and SLA files call an asset: its name without our scheme."""
    return name.removeprefix(SCHEME)


def ascii_lower(text: str) -> str:
    """Fold a text as engines do: ASCII alone, so that "É" and "é" are two tables also on DuckDB."""
    return text.lower() if text.isascii() else text.translate(_SMALL)


def encoded(part: str) -> str:
    """Return one part of a path."""
    return part if part.isascii() and part.isidentifier() else quote(part, safe="")
