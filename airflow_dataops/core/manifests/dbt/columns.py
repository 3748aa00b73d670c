"""The columns that an author describes in YAML, where the warehouse is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from airflow_dataops.core.manifests.dbt import wire
from airflow_dataops.core.model import ColumnSpec

if TYPE_CHECKING:
    from airflow_dataops.core.manifests.dbt.context import Entry

_T = TypeVar("_T")
_Columns = dict[str, wire.Column]


def read_columns(entry: Entry) -> tuple[ColumnSpec, ...]:
    """Return the columns of a node whose `persist_docs` asks for comments on them."""
    if not entry.settings.mapping("persist_docs").get("columns"):
        return ()
    return tuple(
        ColumnSpec(name=column.name or name, description=column.description or "")
        for name, column in written_columns(entry).items()
    )


def written_columns(entry: Entry) -> _Columns:
    """Return the columns as the manifest has them; few nodes need them, and they are many."""
    return decoded(entry, "columns", _Columns) or {}


def decoded(entry: Entry, field: str, type_: type[_T]) -> _T | None:
    """Return a field that was left undecoded; where it has another shape, that is a problem."""
    raw = bytes(getattr(entry.node, field))
    try:
        return msgspec.json.decode(raw, type=type_ | None) if raw else None
    except msgspec.ValidationError as error:
        entry.settings.complain(f"{field} has a wrong shape: {error}; compile the project again.")
        return None
