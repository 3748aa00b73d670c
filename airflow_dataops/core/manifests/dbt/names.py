"""Names as dbt writes them: relations in a manifest, columns in a configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.assets import folds, stored
from airflow_dataops.core.model import Relation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.manifests.dbt.wire import Node

_PART = re.compile(r'"(?:[^"]|"")*"|`[^`]*`|[^."`]+')
_COLUMN = re.compile(r"""[^\W\d][\w$]*|"(?:[^"]|"")+"|`(?:[^`]|``)+`""")

_RELATION = re.compile(rf"(?:{_COLUMN.pattern})(?:\.(?:{_COLUMN.pattern})){{0,2}}|`[^`]+`")

_UNQUOTED_BY_DEFAULT = ("snowflake",)


def is_column(text: str) -> bool:
    """Say whether a text is a column's name, plain or in quotes, and not an expression."""
    return _COLUMN.fullmatch(text.strip()) is not None


def is_relation(text: str) -> bool:
    """Say whether a text is a relation's name: up to three names, plain or in quotes."""
    return _RELATION.fullmatch(text.strip()) is not None


def expressions(texts: Iterable[str]) -> list[str]:
    """Return those of the texts that are SQL expressions and not names of columns."""
    return [text for text in texts if not is_column(text)]


def read_relation(node: Node, adapter: str | None) -> Relation | None:
    """Return the name of a node's table or view, as the warehouse stores it.

    dbt writes names without quotes where `quoting` says so (on Snowflake, unless told
    otherwise), and the engine then folds their case; `relation_name` shows which. As our own
    statements always quote, fold likewise.
    """
    identifier = node.identifier or node.alias
    if not identifier:
        return None
    if not folds(adapter):
        return Relation(
            identifier=identifier, schema=node.schema or None, database=node.database or None
        )

    quoted = _quoted_parts(node.relation_name, adapter)
    parts = (identifier, node.schema or "", node.database or "")
    name, schema, database = (
        part if is_quoted else stored(part, adapter)
        for part, is_quoted in zip(parts, quoted, strict=True)
    )
    return Relation(identifier=name, schema=schema or None, database=database or None)


def _quoted_parts(relation_name: str | None, adapter: str | None) -> tuple[bool, bool, bool]:
    """Say of identifier, schema and database whether dbt writes them in quotes."""
    if relation_name is None:
        usual = adapter not in _UNQUOTED_BY_DEFAULT
        return (usual, usual, usual)
    found = [part.startswith(('"', "`")) for part in _PART.findall(relation_name)]
    first, second, third = (*reversed(found), False, False, False)[:3]
    return (first, second, third)


def tidy(path: str) -> str:
    """Return a path with slashes, whatever system dbt ran on."""
    return path.replace("\\", "/").removeprefix("./")
