"""Load one partition: delete and insert."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Unpack

from airflow.sdk import XComArg

from airflow_dataops.core.arguments import choice, optional_text
from airflow_dataops.core.loads.specs import LoadPartition, OnEmpty, Outside, Within
from airflow_dataops.errors import ConfigError
from airflow_dataops.operators.loads.base import LoadOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.loads.specs import Value
    from airflow_dataops.operators.loads.base import LoadArguments

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
        **arguments: Unpack[LoadArguments],
    ) -> None:
        super().__init__(**arguments)
        self.partition = _partition(partition)
        self.time_column = optional_text(time_column, "time_column")
        self.start = _checked(start, "start")
        self.end = _checked(end, "end")
        self._has_range()
        self.outside = choice(Outside, outside, "outside")
        self.on_empty = choice(OnEmpty, on_empty, "on_empty")

    def _verb(self) -> LoadPartition:
        return LoadPartition(
            values=dict(self.partition or {}),
            within=self._within(),
            outside=self.outside,
            on_empty=self.on_empty,
        )

    def _within(self) -> Within | None:
        """Return the range that the rendered arguments give. Raises `ConfigError`."""
        if not self._has_range():
            return None
        return Within(
            column=str(self.time_column),
            start=bound(self.start, "start"),
            end=bound(self.end, "end"),
        )

    def _has_range(self) -> bool:
        given = [part is not None for part in (self.time_column, self.start, self.end)]
        if any(given) is not all(given) or not (self.partition or all(given)):
            raise ConfigError(
                f"task {self.task_id!r}: name a partition, or time_column, start and end."
            )
        return all(given)


def _partition(value: Any) -> Any:
    """Check the form of a partition, which may come from another task."""
    if value is None or isinstance(value, Mapping | XComArg):
        return value
    raise ConfigError(
        f"partition={value!r}: write columns with their values, such as {{'day': '2026-01-31'}}."
    )


def _checked(value: Any, what: str) -> Any:
    """Check a bound as far as it can be before Jinja is rendered."""
    if value is None or isinstance(value, XComArg) or (isinstance(value, str) and "{" in value):
        return value
    bound(value, what)
    return value


def bound(value: Bound | None, what: str) -> date | datetime | int:
    """Return a bound whose text, as Jinja leaves it, was a time, a day or a number."""
    if isinstance(value, date | int) and not isinstance(value, bool):  # a datetime is a date
        return value
    if not isinstance(value, str):
        raise ConfigError(f"{what}={value!r} is no time, day or whole number.")
    text = value.strip()
    if text.lstrip("-").isdigit() and len(text) != len("20260131"):
        return int(text)
    for kind in (date, datetime):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    raise ConfigError(f"{what}={value!r} is no time, day (ISO 8601) or whole number.")
