"""Load one partition: delete and insert."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.loads.specs import LoadPartition, OnEmpty, Outside, Within
from airflow_dataops.errors import ConfigError
from airflow_dataops.operators.loads.base import LoadOperator, chosen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_dataops.core.loads.specs import Value

    Bound = str | date | datetime | int


class LoadPartitionOperator(LoadOperator):
    """Puts the rows in the place of a partition's, at once for every reader.

    The partition is given by values of columns, by a range of one, or by both:

        LoadPartitionOperator(..., partition={"day": "{{ ds }}"})
        LoadPartitionOperator(
            ...,
            time_column="sold_at",
            start="{{ data_interval_start }}",
            end="{{ data_interval_end }}",
        )

    Loads of different partitions of one table run side by side.

    Args:
        partition: column names with the values that all rows have; None means NULL.
        time_column: the column of the range.
        start: first value of the range: a time, a day (ISO 8601 when text) or a number.
        end: first value after the range.
        outside: `refuse` source rows that are not of the partition, or `drop` them.
        on_empty: what a source without rows does: `write` (by default) clears the partition;
            `keep` and `fail` leave it.
        **arguments: those of `LoadOperator`.
    """

    template_fields: Sequence[str] = (*LoadOperator.template_fields, "partition", "start", "end")

    def __init__(
        self,
        *,
        partition: Mapping[str, Value] | None = None,
        time_column: str | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
        outside: Outside | str = Outside.REFUSE,
        on_empty: OnEmpty | str = OnEmpty.WRITE,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.partition = partition
        self.time_column = time_column
        self.start = start
        self.end = end
        self.outside = outside
        self.on_empty = on_empty

    def _verb(self) -> LoadPartition:
        return LoadPartition(
            values=dict(self.partition or {}),
            within=self._within(),
            outside=chosen(Outside, self.outside, "outside"),
            on_empty=chosen(OnEmpty, self.on_empty, "on_empty"),
        )

    def _within(self) -> Within | None:
        given = (self.time_column, self.start, self.end)
        if self.time_column is None or self.start is None or self.end is None:
            if any(part is not None for part in given) or not self.partition:
                raise ConfigError(
                    f"task {self.task_id!r}: name a partition, or time_column, start and end."
                )
            return None
        return Within(
            column=self.time_column,
            start=bound(self.start, "start"),
            end=bound(self.end, "end"),
        )


def bound(value: Bound, what: str) -> date | datetime | int:
    """Return a bound whose text, as Jinja leaves it, was a time, a day or a number."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lstrip("-").isdigit() and len(text) != len("20260131"):
        return int(text)
    for kind in (date, datetime):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    raise ConfigError(f"{what}={value!r} is no time, day (ISO 8601) or whole number.")
