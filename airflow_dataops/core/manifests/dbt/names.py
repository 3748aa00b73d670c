"""Names as dbt writes them: relations in a manifest, columns in a configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.model import Relation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_dataops.core.manifests.dbt.wire import Node

_COLUMN = re.compile(r"""[^\W\d][\w$]*|"(?:[^"]|"")+"|`(?:[^`]|``)+`""")

_FOLDS: dict[str | None, Callable[[str], str]] = {
    "snowflake": str.upper,
    "oracle": str.upper,
    "postgres": str.lower,
    "redshift": str.lower,
}
"""What an engine makes of a name without quotes, where case counts."""

_UNQUOTED_BY_DEFAULT = ("snowflake",)


def is_column(text: str) -> bool:
    """Say whether a text is a column's name, plain or in quotes, and not an expression."""
    return _COLUMN.fullmatch(text.strip()) is not None


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
    fold = _FOLDS.get(adapter)
    if fold is None:
        return Relation(
            identifier=identifier, schema=node.schema or None, database=node.database or None
        )

    def stored(part: str | None) -> str | None:
        if not part or _is_quoted(part, node.relation_name, adapter):
            return part or None
        return fold(part)

    return Relation(
        identifier=stored(identifier) or identifier,
        schema=stored(node.schema),
        database=stored(node.database),
    )


def _is_quoted(part: str, relation_name: str | None, adapter: str | None) -> bool:
    if relation_name is None:
        return adapter not in _UNQUOTED_BY_DEFAULT
    return f'"{part}"' in relation_name


def tidy(path: str) -> str:
    """Return a path with slashes, whatever system dbt ran on."""
    return path.replace("\\", "/").removeprefix("./")
