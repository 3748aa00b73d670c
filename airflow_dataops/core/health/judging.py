"""From what was measured to a verdict: status, message, value. No SQL here."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.sql.probes import Moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from airflow_dataops.core.health.config import Freshness, RowCount, TableHealth
    from airflow_dataops.core.sql.listing import Listed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(minutes=5)
"""A newest row so far in the future is not a matter of clocks."""


def verdict(table: TableHealth, check: str, status: Status, message: str, **more: Any) -> Verdict:
    """Make a verdict about a table."""
    return Verdict(
        check=check,
        table=table.table_id,
        status=status,
        message=message,
        critical=table.critical,
        owner=table.owner,
        **more,
    )


def judge_freshness(
    table: TableHealth,
    limits: Freshness,
    seconds: float | None,
    moment: Moment,
    now: datetime,
) -> Verdict:
    """Compare the age of the newest row with its limits; a row as old as a limit is within it.

    Args:
        seconds: of the newest row, since 1970; without a zone as if it were UTC. None where no
            row has a time: then nothing is fresh.
    """
    expected = f"at most {limits.max_age_hours:g} h old"
    if seconds is None or not math.isfinite(seconds):
        why = "No row has a time" if seconds is None else "The newest time is infinite"
        message = f"{why} in {limits.timestamp_column}."
        return verdict(table, "freshness", Status.FAIL, message, expected=expected)
    newest = _EPOCH + timedelta(seconds=float(seconds))
    if moment is not Moment.AWARE:
        newest = newest.replace(tzinfo=ZoneInfo(limits.timezone)).astimezone(UTC)
    age = now - newest
    hours = age / timedelta(hours=1)
    status, message = Status.PASS, f"The newest row is {hours:.2f} h old."
    if hours > limits.max_age_hours:
        status = Status.FAIL
    elif limits.warn_age_hours is not None and hours > limits.warn_age_hours:
        status = Status.WARN
    elif age < -_AHEAD:
        status = Status.WARN
        message = (
            f"The newest row is {-hours:.2f} h in the future; "
            f"is {limits.timestamp_column} in another time zone than {limits.timezone}?"
        )
    details = {"newest": newest.isoformat()}
    return verdict(
        table, "freshness", status, message, value=hours, expected=expected, details=details
    )


def judge_rows(table: TableHealth, limits: RowCount, rows: float) -> Verdict:
    """Compare the number of rows of a whole table with its limits."""
    status = Status.PASS if _within(rows, limits) else Status.FAIL
    message = f"It has {rows:,.0f} rows."
    return verdict(table, "row_count", status, message, value=rows, expected=_expected_rows(limits))


def judge_rows_by_day(
    table: TableHealth, limits: RowCount, days: Sequence[date], rows: Mapping[str, float]
) -> Verdict:
    """Compare the rows of each day with the limits. A day without any has 0; no matter what."""
    counts = {day.isoformat(): int(rows.get(day.isoformat(), 0)) for day in days}
    wrong = {day: count for day, count in counts.items() if not _within(count, limits)}
    least = min(counts.values(), default=0)
    if wrong:
        shown = ", ".join(f"{day}: {count:,}" for day, count in [*wrong.items()][:5])
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        message = f"{len(wrong)} of {len(counts)} days are out of bounds ({shown}{more})."
    else:
        message = f"Each of {len(counts)} days has {least:,} rows or more."
    return verdict(
        table,
        "row_count",
        Status.FAIL if wrong else Status.PASS,
        message,
        value=float(least),
        expected=f"{_expected_rows(limits)} a day",
        details={"rows_by_day": counts},
    )


def judge_partitions(
    table: TableHealth, days: Sequence[date], rows: Mapping[str, float]
) -> Verdict:
    """Tell which days have no row."""
    missing = [day.isoformat() for day in days if not rows.get(day.isoformat())]
    shown = ", ".join(missing[:10]) + (", ..." if len(missing) > 10 else "")
    return verdict(
        table,
        "partitions",
        Status.FAIL if missing else Status.PASS,
        f"Days without rows: {shown}." if missing else f"Each of {len(days)} days has rows.",
        value=float(len(missing)),
        expected="0 missing",
        details={"missing": missing},
    )


def judge_schema(table: TableHealth, listed: Listed, dialect: str) -> Verdict:
    """Compare a table's columns with those that are expected; names without regard to case."""
    there = {column.name.casefold(): column for column in listed.columns}
    required = {name.casefold() for name in listed.required}
    wrong = []
    for column in table.expected_schema:
        found = there.get(column.name.casefold())
        if found is None:
            wrong.append(f"{column.name} is missing")
            continue
        if column.type and not _same_type(column.type, found.type, dialect):
            wrong.append(f"{column.name} is {found.type}, not {column.type}")
        needs = (column.mode or "").upper() == "REQUIRED"
        if needs and column.name.casefold() not in required:
            wrong.append(f"{column.name} may be NULL")
    known = {column.name.casefold() for column in table.expected_schema}
    new = [column.name for name, column in there.items() if name not in known]
    tells = f"; new: {', '.join(new)}" if new and table.new_columns != "allow" else ""
    status = Status.PASS
    if wrong or (new and table.new_columns == "fail"):
        status = Status.FAIL
    elif tells:
        status = Status.WARN
    message = ("; ".join(wrong) or "The expected columns are there") + tells + "."
    details = {"wrong": wrong, "new": new}
    return verdict(table, "schema", status, message, value=float(len(wrong)), details=details)


def judge_bounds(
    table: TableHealth, check: str, value: object, low: float | None, high: float | None
) -> Verdict:
    """Judge what a custom check gave: a truth, or a number within bounds.

    Without bounds a number passes when it is not 0.
    """
    if value is None:
        return verdict(table, check, Status.FAIL, "The check gave no value.")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        message = f"{value!r} is neither a number nor a truth."
        return verdict(table, check, Status.ERROR, message)
    if math.isnan(number):
        return verdict(table, check, Status.FAIL, "The check gave NaN, which is no number.")
    if low is None and high is None:
        status, expected = Status.PASS if number else Status.FAIL, "true"
    else:
        inside = (low is None or number >= low) and (high is None or number <= high)
        status = Status.PASS if inside else Status.FAIL
        expected = _between(low, high)
    return verdict(table, check, status, f"It gave {value}.", value=number, expected=expected)


def _within(rows: float, limits: RowCount) -> bool:
    enough = limits.min_rows is None or rows >= limits.min_rows
    return enough and (limits.max_rows is None or rows <= limits.max_rows)


def _expected_rows(limits: RowCount) -> str:
    return f"{_between(limits.min_rows, limits.max_rows)} rows"


def _between(low: float | None, high: float | None) -> str:
    if high is None:
        return f"at least {low:,g}" if isinstance(low, float) else f"at least {low:,}"
    return f"at most {high:,}" if low is None else f"{low:,} to {high:,}"


def _same_type(wanted: str, found: str, dialect: str) -> bool:
    aliases = get_engine(dialect).values.type_aliases

    def plain(name: str) -> str:
        upper = name.upper().strip()
        return aliases.get(upper, upper)

    # Without a size, such as (18,3) or <INT64>, any size will do.
    bare = found if "(" in wanted or "<" in wanted else re.split(r"[(<]", found)[0]
    return plain(wanted) == plain(bare)
