"""Update the rows that are there, add the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow_dataops.core.arguments import choice, names, optional_names, optional_text
from airflow_dataops.core.loads.choices import TextOrder
from airflow_dataops.core.loads.specs import Compare, Merge, NullKeys, OnEmpty
from airflow_dataops.operators.loads.base import LoadOperator

if TYPE_CHECKING:
    from airflow_dataops.core.arguments import Names
    from airflow_dataops.operators.loads.base import LoadArguments


class MergeOperator(LoadOperator):
    """Updates the rows whose key is in the table and adds the others (upsert).

    Args:
        keys: columns that name a row.
        order_by: columns that tell which of several rows of one key is the last and wins;
            without them, duplicate keys fail the load.
        text_order: texts in `order_by` are `refuse`d, or taken for whole numbers (`number`).
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
        keys: Names,
        order_by: Names = (),
        text_order: TextOrder | str = TextOrder.REFUSE,
        update_columns: Names | None = None,
        delete_flag: str | None = None,
        compare: Compare | str = Compare.ALWAYS,
        null_keys: NullKeys | str = NullKeys.REFUSE,
        on_empty: OnEmpty | str = OnEmpty.KEEP,
        **arguments: Unpack[LoadArguments],
    ) -> None:
        super().__init__(**arguments)
        self.keys = names(keys, "keys", least=1)
        self.order_by = names(order_by, "order_by")
        self.text_order = choice(TextOrder, text_order, "text_order")
        self.update_columns = optional_names(update_columns, "update_columns")
        self.delete_flag = optional_text(delete_flag, "delete_flag")
        self.compare = choice(Compare, compare, "compare")
        self.null_keys = choice(NullKeys, null_keys, "null_keys")
        self.on_empty = choice(OnEmpty, on_empty, "on_empty")

    def _verb(self) -> Merge:
        return Merge(
            keys=self.keys,
            order_by=self.order_by,
            text_order=self.text_order,
            update_columns=self.update_columns,
            delete_flag=self.delete_flag,
            compare=self.compare,
            null_keys=self.null_keys,
            on_empty=self.on_empty,
        )
