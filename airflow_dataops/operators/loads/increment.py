"""Take over what is new since the last time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.loads.specs import Increment, NullCursor, NullKeys, OnEmpty
from airflow_dataops.operators.loads.base import LoadOperator, chosen

if TYPE_CHECKING:
    from collections.abc import Sequence


class IncrementOperator(LoadOperator):
    """Takes over what is new in the source since the last time, by a watermark.

    The watermark is committed with the rows. Rows at the watermark and within the lag are
    read again and merged by key: none is lost, none doubled.

    Args:
        cursor: a column of the source that grows: a time or a number.
        keys: columns that name a row; without them a row is the same when all columns are.
        order_by: columns that tell which of several rows of one key is the last and wins;
            by default the cursor.
        lag: how far before the watermark to look for rows that were committed late; a number
            for a numeric cursor.
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
        keys: Sequence[str] = (),
        order_by: Sequence[str] | None = None,
        lag: timedelta | float = timedelta(),
        per: Sequence[str] = (),
        null_cursor: NullCursor | str = NullCursor.REFUSE,
        null_keys: NullKeys | str = NullKeys.REFUSE,
        on_empty: OnEmpty | str = OnEmpty.KEEP,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.cursor = cursor
        self.keys = keys
        self.order_by = order_by
        self.lag = lag
        self.per = per
        self.null_cursor = null_cursor
        self.null_keys = null_keys
        self.on_empty = on_empty

    def _verb(self) -> Increment:
        ordered = (self.cursor,) if self.order_by is None else tuple(self.order_by)
        return Increment(
            cursor=self.cursor,
            keys=tuple(self.keys),
            order_by=ordered if self.keys else (),
            lag=self.lag,
            per=tuple(self.per),
            null_cursor=chosen(NullCursor, self.null_cursor, "null_cursor"),
            null_keys=chosen(NullKeys, self.null_keys, "null_keys"),
            on_empty=chosen(OnEmpty, self.on_empty, "on_empty"),
        )
