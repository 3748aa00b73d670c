"""Which batches of a microbatch model a run builds: dbt's `MicrobatchBuilder`, and Airflow's dates.

https://docs.getdbt.com/docs/build/incremental-microbatch
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_dataops.core.model import BatchSize, Struct

if TYPE_CHECKING:
    from airflow_dataops.core.model import Microbatch

Batch = tuple[datetime, datetime]
"""From the first time on, up to but without the second, in UTC."""


class Interval(Struct, frozen=True):
    """The times that a run is for.

    Attributes:
        exact: whether it builds them alone, as dbt with `--event-time-start` and
            `--event-time-end` does; else it looks back as well.
    """

    begin: datetime
    end: datetime
    exact: bool = False


def batches_of(
    microbatch: Microbatch, interval: Interval | None, now: datetime, *, incremental: bool
) -> list[Batch]:
    """Return the batches of a run, the earliest first; at least one.

    Args:
        interval: the run's; None for up to now.
        incremental: whether the table is there and kept. If not, all batches since the model's
            `begin` are built, unless the interval is exact.
    """
    size = microbatch.batch_size
    end = _ceiling(interval.end if interval else now, size)
    if interval is not None and interval.exact:
        begin = _truncated(interval.begin, size)
    elif not incremental:
        begin = _truncated(moment(microbatch.begin), size)
    else:
        # The end is where a batch begins, which is none of those looked back at.
        begin = _offset(end, size, -microbatch.lookback - 1)
        if interval is not None:
            begin = min(begin, _truncated(interval.begin, size))
    found = [(begin, _offset(begin, size, 1))]
    while found[-1][1] < end:
        found.append((found[-1][1], _offset(found[-1][1], size, 1)))
    found[-1] = (found[-1][0], end)
    return found


def moment(text: str) -> datetime:
    """Read a date or a time as configured; dbt takes it for UTC whatever zone it names."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def midnight(day: date) -> datetime:
    """Return when a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _truncated(time: datetime, size: BatchSize) -> datetime:
    time = time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    match size:
        case BatchSize.HOUR:
            return time
        case BatchSize.DAY:
            return time.replace(hour=0)
        case BatchSize.MONTH:
            return time.replace(hour=0, day=1)
        case BatchSize.YEAR:
            return time.replace(hour=0, day=1, month=1)


def _ceiling(time: datetime, size: BatchSize) -> datetime:
    truncated = _truncated(time, size)
    return truncated if truncated == time else _offset(truncated, size, 1)


def _offset(time: datetime, size: BatchSize, count: int) -> datetime:
    """Return the beginning of the batch that is so many batches away from a time's."""
    begin = _truncated(time, size)
    match size:
        case BatchSize.HOUR:
            return begin + timedelta(hours=count)
        case BatchSize.DAY:
            return begin + timedelta(days=count)
        case BatchSize.MONTH:
            years, month = divmod(begin.month - 1 + count, 12)
            return begin.replace(year=begin.year + years, month=month + 1)
        case BatchSize.YEAR:
            return begin.replace(year=begin.year + count)
