"""Values of partitions and cursors, made to fit the columns they are compared with."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation

from airflow_dataops.core.engines.types import Family, read_type
from airflow_dataops.errors import ConfigError

log = logging.getLogger(__name__)

_TIMES = (Family.DATE, Family.NAIVE, Family.AWARE)


def adapt(value: object, column: str, type_: str, dialect: str) -> object:
    """Return a value as its column's type has it; texts of times are read.

    A time with a zone becomes UTC where the column has no zone, and one without a zone is
    taken for UTC where the column has one; the log says so. A time becomes a date only at
    midnight.

    Raises:
        ConfigError: it is no such value.
    """
    family = read_type(type_, dialect).family
    if value is None or family not in _TIMES:
        return value
    moment = _read(value, column, type_)
    if family is Family.DATE:
        return _as_date(moment, column)
    when = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    if (when.tzinfo is None) is (family is Family.NAIVE):
        return when
    if when.tzinfo is None:
        if isinstance(moment, datetime):
            log.warning("%s has a time zone and %s has none; taken for UTC", column, value)
        return when.replace(tzinfo=UTC)
    log.warning("%s has no time zone and %s has one; converted to UTC", column, value)
    return _as_naive(when)


def check_held(value: object, column: str, type_: str, dialect: str) -> None:
    """Refuse a value that its column cannot hold: rounded or cut, it would be another one.

    Raises:
        ConfigError: no row can have it.
    """
    kept = read_type(type_, dialect)
    if isinstance(value, datetime):
        lost = value.microsecond % 10 ** max(6 - kept.digits, 0)
    elif kept.family is Family.INTEGER or kept.scale is not None:
        lost = _lost_digits(value, kept.scale or 0)
    elif kept.family is Family.TEXT and kept.length is not None:
        lost = len(str(value).rstrip(" ")) > kept.length
    else:
        return
    if lost:
        raise ConfigError(
            f"{value!r} is not a value of the column {column}, which is {type_}: no row can have "
            "it. Give the value as the table holds it."
        )


def _lost_digits(value: object, scale: int) -> bool:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return False  # the engine says what is wrong with it
    _, digits, exponent = number.as_tuple()
    beyond = -scale - exponent if isinstance(exponent, int) else 0
    return beyond > 0 and any(digits[-beyond:])


def _read(value: object, column: str, type_: str) -> date | datetime:
    if isinstance(value, date):  # a datetime is one
        return value
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise ConfigError(
            f"{value!r} is not a time in ISO 8601, and the column {column} is {type_}; write it "
            "like 2026-03-01 or 2026-03-01T12:00:00+00:00."
        ) from None


def _as_date(moment: date | datetime, column: str) -> date:
    if not isinstance(moment, datetime):
        return moment
    when = _as_naive(moment)
    if when.time() != time():
        raise ConfigError(
            f"the column {column} holds dates, and {moment} (UTC) is not at midnight; give a date."
        )
    return when.date()


def _as_naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
