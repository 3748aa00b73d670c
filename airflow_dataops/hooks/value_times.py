"""Texts of times as Arrow's times, with their zones taken seriously."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXAMPLE = datetime(2026, 12, 31, 13, 30)
_OFFSET = r"\d[ T]?.*(Z|[+-]\d\d(:?\d\d)?)$"
_LONG_FRACTION = r"\.\d{7,}"
_TIME = r"[ T]\d\d"


def as_moment(
    texts: pa.Array, to: pa.DataType, zone: str | None, formats: Sequence[str] = ()
) -> pa.Array:
    """Return texts as timestamps of microseconds, with or without a zone.

    Args:
        zone: of texts without an offset in a column that has a zone; and the zone whose clock a
            column without one shows, for texts with an offset. Without it both are refused.
        formats: by strptime's codes, any of which may fit; else ISO 8601.

    Raises:
        ArrowInvalid, ValueError: a text is no such time, or would lose its offset or digits.
    """
    if formats:
        return zoned(by_format(texts, formats), to, zone)
    try:
        return _cast(texts, to)
    except pa.ArrowException:
        if zone is None:
            raise
    offset = pc.fill_null(
        pc.and_(pc.match_substring_regex(texts, _TIME), pc.match_substring_regex(texts, _OFFSET)),
        False,
    )
    aware = zoned(_cast(_where(offset, texts), pa.timestamp("us", "UTC")), to, zone)
    naive = zoned(_cast(_where(pc.invert(offset), texts), pa.timestamp("us")), to, zone)
    return pc.coalesce(aware, naive)


def by_format(texts: pa.Array, formats: Sequence[str]) -> pa.Array:
    """Return texts in one of some formats of strptime's codes as timestamps.

    Raises:
        ValueError: a text is in none of them, or no such day is in the calendar.
    """
    # Arrow's own strptime takes 31.02. for a day of March.
    encoded = pc.dictionary_encode(texts)
    moments = [_moment(text, formats) for text in encoded.dictionary.to_pylist()]
    zoned = {moment.tzinfo is not None for moment in moments}
    if len(zoned) > 1:
        raise ValueError("some texts have a time zone and others have none")
    type_ = pa.timestamp("us", "UTC" if True in zoned else None)
    return pa.array(moments, type_).take(encoded.indices)


def _moment(text: str, formats: Sequence[str]) -> datetime:
    for format_ in formats:
        with suppress(ValueError):
            return datetime.strptime(text, format_)
    listed = " or ".join(f"{_EXAMPLE.strftime(format_)} ({format_})" for format_ in formats)
    raise ValueError(f"it is not written like {listed}")


def zoned(moments: pa.Array, to: pa.DataType, zone: str | None) -> pa.Array:
    """Return timestamps with a zone or without one, as a type has it; see `as_moment`.

    Raises:
        ArrowInvalid: no such time is on the zone's clock, or it is there twice.
        ValueError: there is a zone on one side alone, and none is chosen.
    """
    if (moments.type.tz is None) is (to.tz is None):
        return moments.cast(to)
    if zone is None:
        raise ValueError(f"expected {'a' if to.tz else 'no'} zone offset")
    if to.tz is not None:
        return pc.assume_timezone(moments, zone).cast(to)
    return pc.local_timestamp(moments.cast(pa.timestamp("us", zone)))


def _cast(texts: pa.Array, to: pa.DataType) -> pa.Array:
    try:
        return texts.cast(to)
    except pa.ArrowException:
        long = pc.fill_null(pc.match_substring_regex(texts, _LONG_FRACTION), False)
        if not pc.any(long).as_py():
            raise
    # Nanoseconds may be there where they are zero.
    fine = _where(long, texts).cast(pa.timestamp("ns", to.tz)).cast(to)
    return pc.coalesce(fine, _where(pc.invert(long), texts).cast(to))


def _where(mask: pa.Array, texts: pa.Array) -> pa.Array:
    return pc.if_else(mask, texts, None)
