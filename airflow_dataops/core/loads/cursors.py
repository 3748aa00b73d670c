"""Values of cursors and scopes, as they are kept between loads."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from uuid import UUID

from airflow_dataops.core.engines.types import Family, read_type
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

_MICROSECONDS = 6
_EXACT = 2**24
_SINGLE, _DOUBLE = Decimal(2) ** -22, Decimal(2) ** -51
"""More than what lies between two floats, as a share of them."""

Cursor = int | float | Decimal | date | datetime


def write_cursor(value: object, name: str) -> str:
    """Return a cursor as text: a number, or a time in ISO 8601 (UTC where it has a zone).

    Raises:
        RunError: it is neither a number nor a time.
    """
    if isinstance(value, datetime):
        when = value.astimezone(UTC) if value.tzinfo else value
        return when.isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return str(value)
    raise RunError(
        f"the cursor {name} holds {value!r}; a cursor is a number or a time. Cast it in the query."
    )


def read_cursor(text: str) -> Cursor:
    """Return the value that `write_cursor` wrote.

    Raises:
        RunError: someone else wrote it.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        return _read_time(text)
    if not number.is_finite():
        raise RunError(
            f"a watermark is {text!r}, and nothing is past it: rows that came since were not read. "
            "Read the source once from its beginning (reading='all'), with nonfinite_cursor set "
            "to include or exclude rows with such a cursor."
        )
    return int(number) if number == number.to_integral_value() and "." not in text else number


def before(cursor: Cursor, lag: timedelta | float, name: str) -> Cursor:
    """Return a cursor less a lag; a date goes back whole days.

    Raises:
        ConfigError: the lag of a time is no `timedelta`, or that of a number is one.
    """
    if not lag:
        return cursor
    if isinstance(cursor, date) is not isinstance(lag, timedelta):
        raise ConfigError(
            f"the cursor {name} is {'a time' if isinstance(cursor, date) else 'a number'}, and "
            f"lag is {lag!r}; give a timedelta for a time and a number for a number."
        )
    if isinstance(lag, timedelta):
        if isinstance(cursor, datetime):
            return cursor - lag
        assert isinstance(cursor, date)  # noqa: S101 - for the type checker
        return cursor - timedelta(days=math.ceil(lag / timedelta(days=1)))
    if isinstance(cursor, Decimal):
        return cursor - Decimal(str(lag))
    assert not isinstance(cursor, date)  # noqa: S101 - for the type checker
    return cursor - lag


def held_alike(cursor: Cursor, type_: str, dialect: str) -> Cursor:
    """Return a cursor so much less that no smaller one is held as the same value.

    Without keys a row is told from others by all that the target holds of it. Where that is
    rounded, rows from before the watermark may look like rows at it: all of them are read again,
    or a new one of them would be taken for one that is there.

    Args:
        type_: of the target's column.
    """
    kept = read_type(type_, dialect)
    if isinstance(cursor, datetime):
        unit = timedelta(microseconds=10 ** max(6 - kept.digits, 0))
        return cursor if kept.digits >= _MICROSECONDS else cursor - unit
    if isinstance(cursor, date):
        return cursor
    number = Decimal(str(cursor))
    if kept.family is Family.DECIMAL and kept.scale is not None:
        return number - Decimal(1).scaleb(-kept.scale)
    if kept.family is Family.FLOAT and (isinstance(cursor, Decimal) or abs(cursor) > _EXACT):
        return number - abs(number) * (_DOUBLE if kept.kind == "DOUBLE" else _SINGLE)
    return cursor


def write_scope(values: Sequence[Any]) -> str:
    """Return the values of a scope as JSON; times are told from texts.

    Raises:
        RunError: a value would not be the same when it is read again.
    """
    return json.dumps([_plain(value) for value in values]) if values else ""


def read_scope(text: str) -> tuple[Any, ...]:
    """Return the values that `write_scope` wrote."""
    return tuple(_value(item) for item in json.loads(text)) if text else ()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, (date, Decimal)):
        return {"number" if isinstance(value, Decimal) else "time": write_cursor(value, "")}
    if isinstance(value, (UUID, time, timedelta)):
        return str(value)
    raise RunError(
        f"a column that `per` names holds {value!r}, and watermarks are kept by plain values, such "
        "as texts, numbers and times: cast it to a text in the query. Nothing was written."
    )


def _value(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    [(kind, text)] = item.items()
    return Decimal(text) if kind == "number" else _read_time(text)


def _read_time(text: str) -> date | datetime:
    try:
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        raise RunError(
            f"{text!r} in the table of watermarks is neither a number nor a time in ISO 8601; "
            "set it right, or delete its row to read the source from the beginning."
        ) from None
