"""Add rows once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow_dataops.core.arguments import choice, names
from airflow_dataops.core.loads.specs import Append, NullKeys, OnEmpty
from airflow_dataops.operators.loads.base import LoadOperator

if TYPE_CHECKING:
    from airflow_dataops.core.arguments import Names
    from airflow_dataops.operators.loads.base import LoadArguments


class AppendOperator(LoadOperator):
    """Adds the rows that the table does not have.

    Args:
        keys: columns that name a row; without them a row is the same when all columns are.
        order_by: columns that tell which of several rows of one key is the last and wins.
        null_keys: `refuse` rows whose key holds NULL, or `match` them: NULL equals NULL.
        on_empty: what a source without rows does: `keep` (by default) or `fail`.
        **arguments: those of `LoadOperator`.
    """

    def __init__(
        self,
        *,
        keys: Names = (),
        order_by: Names = (),
        null_keys: NullKeys | str = NullKeys.REFUSE,
        on_empty: OnEmpty | str = OnEmpty.KEEP,
        **arguments: Unpack[LoadArguments],
    ) -> None:
        super().__init__(**arguments)
        self.keys = names(keys, "keys")
        self.order_by = names(order_by, "order_by")
        self.null_keys = choice(NullKeys, null_keys, "null_keys")
        self.on_empty = choice(OnEmpty, on_empty, "on_empty")

    def _verb(self) -> Append:
        return Append(
            keys=self.keys,
            order_by=self.order_by,
            null_keys=self.null_keys,
            on_empty=self.on_empty,
        )
