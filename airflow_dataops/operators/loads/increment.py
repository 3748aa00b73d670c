"""Take over what is new since the last time."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Unpack

from airflow_dataops.core.arguments import (
    choice,
    lag_of,
    names,
    optional_names,
    optional_text,
    text,
)
from airflow_dataops.core.loads.choices import NonFinite, Reading, TextOrder
from airflow_dataops.core.loads.specs import Increment, NullCursor, NullKeys, OnEmpty
from airflow_dataops.errors import ConfigError
from airflow_dataops.operators.loads.base import LoadOperator
from airflow_dataops.operators.loads.partition import bound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from airflow_dataops.core.arguments import Names
    from airflow_dataops.operators.loads.base import LoadArguments
    from airflow_dataops.operators.loads.partition import Bound


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
        reading: what is read: only what is `new`, or `all` of the source (a full refresh, which
            sets the watermark anew). Jinja is rendered.
        until: the first value of the cursor that is not read yet, such as
            `{{ data_interval_end }}`: a time, a day (ISO 8601 when text) or a number.
        watermark_name: what the watermark is kept under. By default it belongs to the task and
            its source, so that both can be renamed or changed only at the price of reading the
            source from its beginning. No two loads of a table may have the same.
        text_order: texts in `order_by` are `refuse`d, or taken for whole numbers (`number`).
        null_cursor: `refuse`, `include` or `exclude` rows whose cursor is NULL.
        nonfinite_cursor: likewise for rows whose cursor is NaN or infinite.
        null_keys: `refuse` rows whose key holds NULL, or `match` them: NULL equals NULL.
        on_empty: what a source without new rows does: `keep` (by default) or `fail`.
        **arguments: those of `LoadOperator`.
    """

    template_fields: Sequence[str] = (*LoadOperator.template_fields, "reading", "until")

    def __init__(
        self,
        *,
        cursor: str,
        keys: Names = (),
        order_by: Names | None = None,
        lag: timedelta | float = timedelta(),
        per: Names = (),
        reading: Reading | str = Reading.NEW,
        until: Bound | float | None = None,
        watermark_name: str | None = None,
        text_order: TextOrder | str = TextOrder.REFUSE,
        null_cursor: NullCursor | str = NullCursor.REFUSE,
        nonfinite_cursor: NonFinite | str = NonFinite.REFUSE,
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
        is_template = isinstance(reading, str) and "{" in reading
        self.reading = reading if is_template else choice(Reading, reading, "reading")
        self.until = until if isinstance(until, str) and "{" in until else _end_of(until)
        self.watermark_name = optional_text(watermark_name, "watermark_name")
        self.text_order = choice(TextOrder, text_order, "text_order")
        self.nonfinite_cursor = choice(NonFinite, nonfinite_cursor, "nonfinite_cursor")
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
            reading=choice(Reading, self.reading, "reading"),
            until=_end_of(self.until),
            watermark_name=self.watermark_name,
            text_order=self.text_order,
            nonfinite_cursor=self.nonfinite_cursor,
            null_cursor=self.null_cursor,
            null_keys=self.null_keys,
            on_empty=self.on_empty,
        )


def _end_of(value: Bound | float | None) -> date | datetime | float | None:
    """Return the end of what is read; its text, as Jinja leaves it, was a time or a number."""
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, str) and "." in value:
        with contextlib.suppress(ValueError):
            return float(value)
    return bound(value, "until")
