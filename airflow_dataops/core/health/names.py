"""The names of tables, as a config's author writes them."""

from __future__ import annotations

import re

from airflow_dataops.core.engines.identifiers import unquote
from airflow_dataops.core.model import Relation

_PART = r'"(?:[^"]|"")+"|`(?:[^`]|``)+`|[^."`]+'
_NAME = re.compile(rf"(?:{_PART})(?:\.(?:{_PART}))*")


def relation_of(table_id: str) -> Relation:
    """Return the table that `database.schema.table` means; its front may be left out.

    A part with a dot in it is written in double quotes or backticks.

    Raises:
        ValueError: it is no such name.
    """
    if not _NAME.fullmatch(table_id):
        raise ValueError(f"{table_id!r} is no name of a table; write database.schema.table.")
    parts = [unquote(part) for part in re.findall(_PART, table_id)]
    if len(parts) > 3:
        raise ValueError(f"{table_id!r} has {len(parts)} parts; write database.schema.table.")
    database, schema, identifier = [None] * (3 - len(parts)) + parts
    return Relation(database=database, schema=schema, identifier=str(identifier))
