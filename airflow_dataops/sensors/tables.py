"""Wait for tables: until they are fresh, a day of them is complete, their rows stay the same."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Unpack

from airflow_dataops.core.arguments import count, seconds, text
from airflow_dataops.core.health.watches import FreshWatch, RowsWatch
from airflow_dataops.sensors.base import WatchSensor

if TYPE_CHECKING:
    from airflow_dataops.core.arguments import Duration
    from airflow_dataops.sensors.base import WatchArguments


class TableFreshSensor(WatchSensor):
    """Waits until the newest row of a table is young enough.

    Args:
        table: the table.
        conn_id: its warehouse.
        column: a date or a time.
        max_age: a timedelta, or seconds.
        timezone: of a column without a zone, an IANA name.
    """

    def __init__(
        self,
        *,
        table: str,
        conn_id: str,
        column: str,
        max_age: Duration,
        timezone: str = "UTC",
        **arguments: Unpack[WatchArguments],
    ) -> None:
        watch = {
            "type": FreshWatch.__name__,
            "table": text(table, "table"),
            "column": text(column, "column"),
            "max_age": seconds(max_age, "max_age", is_positive=True),
            "timezone": text(timezone, "timezone"),
        }
        super().__init__(conn_id=text(conn_id, "conn_id"), watch=watch, **arguments)


class PartitionCompleteSensor(WatchSensor):
    """Waits until a day of a table has so many rows, which stay the same for so long.

    Args:
        table: the table.
        conn_id: its warehouse.
        column: a date or a time, whose days the partitions are.
        day: the day, ISO 8601; a template.
        min_rows: fewer are not all.
        steady_for: seconds, or a timedelta; 0 where `min_rows` says enough.
        timezone: whose days, where the column knows its zone; an IANA name.
    """

    def __init__(
        self,
        *,
        table: str,
        conn_id: str,
        column: str,
        day: str | date = "{{ ds }}",
        min_rows: int = 1,
        steady_for: Duration = 0,
        timezone: str = "UTC",
        **arguments: Unpack[WatchArguments],
    ) -> None:
        written = day.isoformat() if type(day) is date else text(day, "day")
        watch = {
            "type": RowsWatch.__name__,
            "table": text(table, "table"),
            "column": text(column, "column"),
            "day": written,
            "min_rows": count(min_rows, "min_rows", least=1),
            "timezone": text(timezone, "timezone"),
        }
        conn_id = text(conn_id, "conn_id")
        super().__init__(conn_id=conn_id, watch=watch, steady_for=steady_for, **arguments)


class RowCountStableSensor(WatchSensor):
    """Waits until a table has rows, and their number stays the same for so long.

    Args:
        table: the table.
        conn_id: its warehouse.
        steady_for: seconds, or a timedelta.
        min_rows: fewer are waited for.
    """

    def __init__(
        self,
        *,
        table: str,
        conn_id: str,
        steady_for: Duration,
        min_rows: int = 1,
        **arguments: Unpack[WatchArguments],
    ) -> None:
        seconds(steady_for, "steady_for", is_positive=True)
        watch = {
            "type": RowsWatch.__name__,
            "table": text(table, "table"),
            "min_rows": count(min_rows, "min_rows"),
        }
        conn_id = text(conn_id, "conn_id")
        super().__init__(conn_id=conn_id, watch=watch, steady_for=steady_for, **arguments)
