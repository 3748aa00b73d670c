"""The columns that an author describes in YAML, where the warehouse is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from airflow_dataops.core.model import ColumnSpec

if TYPE_CHECKING:
    from airflow_dataops.core.manifests.dbt.context import Entry

_Columns = dict[str, dict[str, Any]]


def read_columns(entry: Entry) -> tuple[ColumnSpec, ...]:
    """Return the columns of a node whose `persist_docs` asks for comments on them."""
    if not entry.settings.mapping("persist_docs").get("columns"):
        return ()
    return tuple(
        ColumnSpec(name=column.get("name") or name, description=column.get("description") or "")
        for name, column in written_columns(entry).items()
    )


def written_columns(entry: Entry) -> _Columns:
    """Return the columns as the manifest has them; few nodes need them, and they are many."""
    raw = bytes(entry.node.columns)
    return msgspec.json.decode(raw, type=_Columns | None) or {} if raw else {}
