"""How a text becomes a value of each type: the one table of rules of all formats.

CSV, JSON lines, Kafka's JSON, Hive's partitions and Parquet's texts are read by it;
docs/loads/files.md shows it. What would lose something is refused, never changed.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import partial
from math import isinf
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from airflow_dataops.hooks.value_times import as_moment, by_format

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN: dict[pa.DataType, str] = {
    pa.bool_(): "boolean",
    pa.int16(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.float32(): "real",
    pa.float64(): "double",
    pa.string(): "text",
    pa.binary(): "bytes",
    pa.date32(): "date",
    pa.time64("us"): "time",
    pa.timestamp("us"): "timestamp",
    pa.timestamp("us", "UTC"): "timestamptz",
}
"""The types that go into warehouses as they are, besides decimal(18, 2), as authors call them."""
NAMES = PLAIN | {pa.null(): "NULL"}
_MICROSECONDS = pa.timestamp("us")
_INSTANT = pa.timestamp("us", "UTC")
_MOST_DIGITS = 38
_NO_DAY = date(1900, 1, 1)
"""That of strptime, where a format has none."""
_GLANCE = 100
"""Texts that are looked at before all others, where a type is to be found."""
_SURE = 15
"""Digits that every double tells apart."""
_WHOLE = re.compile(r"[+-]?\d+")
_ZERO = re.compile(r"[+-]?[0.]*([eE].*)?")
_NO_OFFSET, _AN_OFFSET = "expected no zone offset", "expected a zone offset"
_CHOOSE = "(set time_zone, or give the column the other type)"
_CODE = r"^\s*(\+|-?0[0-9xX])"
_WORDS = {"nan", "inf", "infinity"}
_TRUE = ("true", "True", "TRUE", "1")
_FALSE = ("false", "False", "FALSE", "0")


class Origin(StrEnum):
    """Who says that a column has its type."""

    NAMED = "named"
    """The author."""
    FOUND = "found"
    """The first rows. Then a text that reads like another thing is one: 007 is no number."""


class Rule(NamedTuple):
    """How the values of a column are read.

    Attributes:
        type: one of those of `file_formats`, or null where none was found.
        zone: of times without one in a column with a zone, and the other way round; without it
            they are refused.
        formats: of dates and times, by strptime's codes; else ISO 8601.
        nested: the texts are JSON's objects and lists.
    """

    type: pa.DataType
    origin: Origin = Origin.NAMED
    zone: str | None = None
    formats: tuple[str, ...] = ()
    nested: bool = False
    decimal_point: str = "."
    true: tuple[str, ...] = _TRUE
    false: tuple[str, ...] = _FALSE

    @property
    def said(self) -> str:
        """The type as an author names it."""
        type_ = self.type
        if types.is_decimal(type_):
            return f"decimal({type_.precision}, {type_.scale})"
        return NAMES.get(type_, str(type_))


class ValueRefusedError(Exception):
    """A value is none of its column's type, or would lose something."""

    def __init__(self, index: int, text: str, why: str) -> None:
        """Keep where it is, counted from 0, the value, and what is wrong."""
        super().__init__(f"{text!r}: {why}")
        self.index = index
        self.text = text
        self.why = why


class _WrongError(ValueError):
    """Some value is wrong; which one is looked for afterwards."""


def read_texts(texts: pa.Array, rule: Rule) -> pa.Array:
    """Return texts as values of the rule's type; NULL stays NULL.

    Raises:
        ValueRefusedError: one of them is none; the first one is told.
    """
    convert = partial(_converter(rule), rule=rule)
    try:
        return convert(texts)
    except (pa.ArrowException, ValueError) as error:
        index, why = _first_wrong(texts, convert, str(error))
        text = str(texts[index].as_py())
        raise ValueRefusedError(index, text[:100], _reason(why)) from error


def find_rule(texts: pa.Array, rule: Rule) -> Rule:
    """Return how a column is read whose type is not named: the first type that all texts fit.

    Args:
        rule: what else is known of it.
    """
    if texts.null_count == len(texts):
        return rule._replace(type=pa.null(), origin=Origin.FOUND)
    for type_ in _FINDABLE:
        for wanted in dict.fromkeys((rule, rule._replace(formats=()))):
            found = wanted._replace(type=type_, origin=Origin.FOUND)
            if _fits(texts, found):
                return found
    return rule._replace(type=pa.string(), origin=Origin.FOUND)


def _fits(texts: pa.Array, rule: Rule) -> bool:
    convert = partial(_converter(rule), rule=rule)
    try:
        convert(texts.slice(0, _GLANCE))
        convert(texts)
    except (pa.ArrowException, ValueError):
        return False
    return True


def _converter(rule: Rule) -> Callable[..., pa.Array]:
    type_ = rule.type
    if types.is_string(type_):
        return _same
    if types.is_decimal(type_):
        return _decimal
    if types.is_integer(type_):
        return _integer
    return _OTHERS[type_]


def _same(texts: pa.Array, rule: Rule) -> pa.Array:
    del rule
    return texts


def _nothing(texts: pa.Array, rule: Rule) -> pa.Array:
    if texts.null_count != len(texts):
        raise _WrongError("no row before had a value in this column")
    return pa.nulls(len(texts), rule.type)


def _bytes(texts: pa.Array, rule: Rule) -> pa.Array:
    return texts.cast(rule.type)


def _boolean(texts: pa.Array, rule: Rule) -> pa.Array:
    true = pc.is_in(texts, pa.array(rule.true, pa.string()))
    false = pc.is_in(texts, pa.array(rule.false, pa.string()))
    known = pc.or_(true, false)
    if (pc.sum(known).as_py() or 0) != len(texts) - texts.null_count:
        raise _WrongError(f"write {rule.true[0]} or {rule.false[0]}")
    return pc.if_else(texts.is_valid(), true, None)


def _integer(texts: pa.Array, rule: Rule) -> pa.Array:
    if rule.origin is Origin.FOUND:
        _refuse_codes(texts)
    elif _any(pc.match_substring_regex(texts, "^[+-]?0[xX]")):
        raise _WrongError("hexadecimal")
    return _cast(texts, rule.type)


def _decimal(texts: pa.Array, rule: Rule) -> pa.Array:
    if rule.origin is Origin.FOUND:
        _refuse_codes(texts)
        if _any(pc.match_substring_regex(texts, r"[^-\d]")):
            raise _WrongError("no whole number")
    texts = _pointed(texts, rule)
    # Arrow wraps around what has more digits than it can hold.
    long = pc.greater(pc.binary_length(texts), _MOST_DIGITS)
    long = pc.or_(long, pc.match_substring(texts, "e", ignore_case=True))
    if _any(long) and any(map(partial(_is_too_long, rule.type), _few(texts.filter(long)))):
        raise _WrongError(f"more digits than {rule.type.precision}")
    return _cast(texts, rule.type)


def _is_too_long(type_: pa.Decimal128Type, text: str) -> bool:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return False  # Arrow says so
    return number.is_finite() and number.adjusted() >= type_.precision - type_.scale


def _double(texts: pa.Array, rule: Rule) -> pa.Array:
    texts = _pointed(texts, rule)
    if rule.origin is Origin.FOUND:
        _refuse_codes(texts)
    numbers = _cast(texts, pa.float64())
    _check_exact(texts, numbers, rule)
    if types.is_float64(rule.type):
        return numbers
    small = numbers.cast(rule.type)
    lost = pc.and_(pc.is_finite(numbers), pc.invert(pc.is_finite(small)))
    whole = pc.and_(
        pc.equal(pc.trunc(numbers), numbers), pc.not_equal(small.cast(pa.float64()), numbers)
    )
    if _any(lost) or _any(pc.and_(whole, pc.is_finite(numbers))):
        raise _WrongError("a real does not hold it exactly; take double or decimal")
    return small


def _check_exact(texts: pa.Array, numbers: pa.Array, rule: Rule) -> None:
    """Refuse numbers that a double cannot hold: whole ones exactly, others by their size."""
    size = pc.abs(numbers)
    odd = pc.or_(pc.invert(pc.less(size, 2.0**53)), pc.equal(size, 0.0))  # NaN is among them
    if rule.origin is Origin.FOUND:
        odd = pc.or_(odd, pc.greater(pc.binary_length(texts), _SURE))
    if _any(odd):
        few, known = texts.filter(odd), numbers.filter(odd)
        # What a program wrote as the shortest text of a double needs no other look.
        for text in _few(few.filter(pc.not_equal(known.cast(pa.string()), few))):
            _check_number(text.strip(), rule)
    if rule.origin is Origin.FOUND and not pc.all(pc.is_finite(numbers)).as_py():
        raise _WrongError("no number")


def _check_number(text: str, rule: Rule) -> None:
    if text.lstrip("+-").lower() in _WORDS:
        return
    number = float(text)
    if isinf(number):
        raise _WrongError("larger than any double")
    if number == 0 and not _ZERO.fullmatch(text):
        raise _WrongError("smaller than any double")
    if _WHOLE.fullmatch(text):
        exact = int(text) == int(number)
    elif rule.origin is Origin.FOUND:
        digits = len(Decimal(text).as_tuple().digits)
        exact = Decimal(f"{number:.{digits}g}") == Decimal(text)
    else:
        exact = True
    if not exact:
        raise _WrongError("a double does not hold all of its digits; take decimal or text")


def _few(texts: pa.Array) -> list[str]:
    return [text for text in pc.unique(texts).to_pylist() if text is not None]


def _refuse_codes(texts: pa.Array) -> None:
    """Refuse what would lose its leading zeros or its plus as a number."""
    zero = pc.and_(pc.starts_with(texts, "0"), pc.greater(pc.binary_length(texts), 1))
    led = pc.and_(zero, pc.invert(pc.starts_with(texts, "0.")))
    for start in ("-0", "+", " "):
        led = pc.or_(led, pc.starts_with(texts, start))
    if _any(led) and _any(pc.match_substring_regex(texts.filter(led), _CODE)):
        raise _WrongError("leading zeros or signs, which a number does not keep")


def _date(texts: pa.Array, rule: Rule) -> pa.Array:
    if not rule.formats:
        return _cast(texts, pa.date32())
    moments = by_format(texts, rule.formats)
    if moments.type.tz is not None:
        raise _WrongError("a date has no time zone")
    days = moments.cast(pa.date32())
    if _any(pc.not_equal(days.cast(_MICROSECONDS), moments)):
        raise _WrongError("a time of day, which a date does not keep")
    return days


def _time(texts: pa.Array, rule: Rule) -> pa.Array:
    if rule.formats:
        moments = by_format(texts, rule.formats)
        if _any(pc.not_equal(moments.cast(pa.date32()), _NO_DAY)) or moments.type.tz is not None:
            raise _WrongError("a day or a zone, which a time does not keep")
        return moments.cast(pa.time64("us"))
    if _any(pc.invert(pc.match_substring_regex(texts, r"^\d\d:\d\d"))):
        raise _WrongError("write hours and minutes, such as 09:30")
    moments = pc.binary_join_element_wise("1970-01-01T", texts, "")
    return as_moment(moments, _MICROSECONDS, None).cast(pa.time64("us"))


def _timestamp(texts: pa.Array, rule: Rule) -> pa.Array:
    # A date is a time at midnight, but in a column that was not said to hold times.
    return as_moment(texts, rule.type, rule.zone, rule.formats)


def _pointed(texts: pa.Array, rule: Rule) -> pa.Array:
    if rule.decimal_point == ".":
        return texts
    if _any(pc.match_substring(texts, ".")):
        raise _WrongError(f"the decimal point is {rule.decimal_point!r}")
    return pc.replace_substring(texts, rule.decimal_point, ".")


def _cast(texts: pa.Array, to: pa.DataType) -> pa.Array:
    """Return texts as numbers or dates; blanks around them mean nothing."""
    try:
        return texts.cast(to)
    except pa.ArrowException:
        return pc.ascii_trim_whitespace(texts).cast(to)


def _any(found: pa.Array) -> bool:
    return bool(pc.any(found).as_py())


def _first_wrong(
    texts: pa.Array, convert: Callable[[pa.Array], pa.Array], why: str
) -> tuple[int, str]:
    """Return the place of the first value that does not convert, and why it does not."""
    start, length = 0, len(texts)
    while length > 1:
        half = length // 2
        try:
            convert(texts.slice(start, half))
        except (pa.ArrowException, ValueError) as error:
            length, why = half, str(error)
        else:
            start, length = start + half, length - half
    try:
        convert(texts.slice(start, length))
    except (pa.ArrowException, ValueError) as error:
        why = str(error)
    return start, why


def _reason(why: str) -> str:
    """Return what Arrow or a rule says of a value, without what the error says already."""
    if _NO_OFFSET in why:
        return f"it has an offset, and the column has no time zone {_CHOOSE}"
    if _AN_OFFSET in why:
        return f"it has no offset, and the column has a time zone {_CHOOSE}"
    if why.startswith("Failed to parse"):
        return "it is not written like one, or out of its range"
    return why.rstrip(".")


_OTHERS: dict[pa.DataType, Callable[..., pa.Array]] = {
    pa.null(): _nothing,
    pa.bool_(): _boolean,
    pa.float32(): _double,
    pa.float64(): _double,
    pa.binary(): _bytes,
    pa.date32(): _date,
    pa.time64("us"): _time,
    _MICROSECONDS: _timestamp,
    _INSTANT: _timestamp,
}
_FINDABLE = (
    pa.int64(),
    pa.decimal128(20, 0),
    pa.decimal128(38, 0),
    pa.bool_(),
    pa.date32(),
    pa.time64("us"),
    _MICROSECONDS,
    _INSTANT,
    pa.float64(),
)
