"""Update the rows that are there, add the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.loads.specs import Compare, Merge, NullKeys, OnEmpty
from airflow_dataops.operators.loads.base import LoadOperator, chosen

if TYPE_CHECKING:
    from collections.abc import Sequence


class MergeOperator(LoadOperator):
    """Updates the rows whose key is in the table and adds the others (upsert).

    Args:
        keys: columns that name a row.
        order_by: columns that tell which of several rows of one key is the last and wins;
            without them, duplicate keys fail the load.
        update_columns: what is updated; all but the keys by default.
        delete_flag: a boolean column of the source: true deletes the row. It is not written.
        compare: `always` write the rows that are there, or only the `changed` ones.
        null_keys: `refuse` rows whose key holds NULL, or `match` them: NULL equals NULL.
        on_empty: what a source without rows does: `keep` (by default) or `fail`.
        **arguments: those of `LoadOperator`.
    """

    def __init__(
        self,
        *,
        keys: Sequence[str],
        order_by: Sequence[str] = (),
        update_columns: Sequence[str] | None = None,
        delete_flag: str | None = None,
        compare: Compare | str = Compare.ALWAYS,
        null_keys: NullKeys | str = NullKeys.REFUSE,
        on_empty: OnEmpty | str = OnEmpty.KEEP,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.keys = keys
        self.order_by = order_by
        self.update_columns = update_columns
        self.delete_flag = delete_flag
        self.compare = compare
        self.null_keys = null_keys
        self.on_empty = on_empty

    def _verb(self) -> Merge:
        updated = None if self.update_columns is None else tuple(self.update_columns)
        return Merge(
            keys=tuple(self.keys),
            order_by=tuple(self.order_by),
            update_columns=updated,
            delete_flag=self.delete_flag,
            compare=chosen(Compare, self.compare, "compare"),
            null_keys=chosen(NullKeys, self.null_keys, "null_keys"),
            on_empty=chosen(OnEmpty, self.on_empty, "on_empty"),
        )
