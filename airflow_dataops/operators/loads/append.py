"""Add rows once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow_dataops.core.arguments import choice, names
from airflow_dataops.core.loads.choices import Duplicates, TextOrder
from airflow_dataops.core.loads.specs import Append, NullKeys, OnEmpty
from airflow_dataops.operators.loads.base import LoadOperator

if TYPE_CHECKING:
    from airflow_dataops.core.arguments import Names
    from airflow_dataops.operators.loads.base import LoadArguments


class AppendOperator(LoadOperator):
    """Adds the rows that the table does not have, or all rows once for each run.

    Args:
        keys: columns that name a row; without them a row is the same when all columns are.
        order_by: columns that tell which of several rows of one key is the last and wins.
        duplicates: what rows are that are equal in all columns, where no keys are named: `once`
            they are one row, which is added unless the table has it; `keep` adds each, all of a
            run's rows once for the run. By default `keep` for a `KafkaTopic`, else `once`.
        text_order: texts in `order_by` are `refuse`d, or taken for whole numbers (`number`).
        null_keys: `refuse` rows whose key holds NULL, or `match` them: NULL equals NULL.
        on_empty: what a source without rows does: `keep` (by default) or `fail`.
        **arguments: those of `LoadOperator`.
    """

    def __init__(
        self,
        *,
        keys: Names = (),
        order_by: Names = (),
        duplicates: Duplicates | str | None = None,
        text_order: TextOrder | str = TextOrder.REFUSE,
        null_keys: NullKeys | str = NullKeys.REFUSE,
        on_empty: OnEmpty | str = OnEmpty.KEEP,
        **arguments: Unpack[LoadArguments],
    ) -> None:
        super().__init__(**arguments)
        self.keys = names(keys, "keys")
        self.order_by = names(order_by, "order_by")
        self.duplicates = (
            duplicates if duplicates is None else choice(Duplicates, duplicates, "duplicates")
        )
        self.text_order = choice(TextOrder, text_order, "text_order")
        self.null_keys = choice(NullKeys, null_keys, "null_keys")
        self.on_empty = choice(OnEmpty, on_empty, "on_empty")

    def _verb(self) -> Append:
        return Append(
            keys=self.keys,
            order_by=self.order_by,
            duplicates=self.duplicates,
            text_order=self.text_order,
            null_keys=self.null_keys,
            on_empty=self.on_empty,
        )
