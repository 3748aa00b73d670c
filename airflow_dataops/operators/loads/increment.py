"""Take over what is new since the last time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Unpack

from airflow_dataops.core.arguments import choice, lag_of, names, optional_names, text
from airflow_dataops.core.loads.specs import Increment, NullCursor, NullKeys, OnEmpty
from airflow_dataops.errors import ConfigError
from airflow_dataops.operators.loads.base import LoadOperator

if TYPE_CHECKING:
    from airflow_dataops.core.arguments import Names
    from airflow_dataops.operators.loads.base import LoadArguments


class IncrementOperator(LoadOperator):
    """Takes over what is new in the source since the last time, by a watermark.

    The watermark is committed with the rows. Rows at the watermark and within the lag are
    read again and merged by key: none is lost, none doubled.

    Args:
        cursor: a column of the source that grows: a time or a number.
        keys: columns that name a row; without them a row is the same when all columns are.
        order_by: columns that tell which of several rows of one key is the last and wins;
            by default the cursor.
        lag: how far before the watermark to look for rows that were committed late: a timedelta
            (seconds will do) for a cursor that is a time, a number for a numeric one.
        per: columns each of whose values has a watermark of its own.
        null_cursor: `refuse`, `include` or `exclude` rows whose cursor is NULL.
        null_keys: `refuse` rows whose key holds NULL, or `match` them: NULL equals NULL.
        on_empty: what a source without new rows does: `keep` (by default) or `fail`.
        **arguments: those of `LoadOperator`.
    """

    def __init__(
        self,
        *,
        cursor: str,
        keys: Names = (),
        order_by: Names | None = None,
        lag: timedelta | float = timedelta(),
        per: Names = (),
        null_cursor: NullCursor | str = NullCursor.REFUSE,
        null_keys: NullKeys | str = NullKeys.REFUSE,
        on_empty: OnEmpty | str = OnEmpty.KEEP,
        **arguments: Unpack[LoadArguments],
    ) -> None:
        super().__init__(**arguments)
        self.cursor = text(cursor, "cursor")
        self.keys = names(keys, "keys")
        self.order_by = optional_names(order_by, "order_by")
        if self.order_by and not self.keys:
            raise ConfigError(f"order_by={order_by!r} tells rows of one key apart: name keys.")
        self.lag = lag_of(lag)
        self.per = names(per, "per")
        self.null_cursor = choice(NullCursor, null_cursor, "null_cursor")
        self.null_keys = choice(NullKeys, null_keys, "null_keys")
        self.on_empty = choice(OnEmpty, on_empty, "on_empty")

    def _verb(self) -> Increment:
        ordered = (self.cursor,) if self.order_by is None else self.order_by
        return Increment(
            cursor=self.cursor,
            keys=self.keys,
            order_by=ordered if self.keys else (),
            lag=self.lag,
            per=self.per,
            null_cursor=self.null_cursor,
            null_keys=self.null_keys,
            on_empty=self.on_empty,
        )
