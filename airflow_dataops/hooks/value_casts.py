"""Values that have a type already, as values of another one; nothing of them may be lost.

Arrow's own casts cut a time off a timestamp, round a double to a decimal and take any clock for
UTC's, in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from airflow_dataops.hooks.value_rules import Origin, ValueRefusedError, read_texts
from airflow_dataops.hooks.value_times import zoned

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.hooks.value_rules import Rule

_FAMILIES: tuple[Callable[[pa.DataType], bool], ...] = (
    types.is_integer,
    types.is_decimal,
    types.is_floating,
    types.is_date,
    types.is_time,
    types.is_timestamp,
    types.is_boolean,
)
_TEXTS = (types.is_string, types.is_large_string, types.is_string_view)
_WIDENS = {
    (types.is_integer, types.is_decimal),
    (types.is_integer, types.is_floating),
    (types.is_date, types.is_timestamp),
}


def cast_values(values: pa.Array, rule: Rule) -> pa.Array:
    """Return values as those of a rule's type.

    Raises:
        ValueRefusedError: one of them would lose something.
        TypeError: values of the one type are none of the other.
    """
    if values.type == rule.type:
        return values
    if types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if _is_text(values.type):
        texts = values.cast(pa.string())
        if rule.origin is Origin.FOUND and not types.is_string(rule.type):
            raise TypeError(f"it is {values.type}")
        return read_texts(texts, rule)
    if not _may_cast(values.type, rule):
        raise TypeError(f"it is {values.type}")
    if types.is_timestamp(values.type) and types.is_timestamp(rule.type):
        return _moments(values, rule)
    return _back_and_forth(values, rule)


def _is_text(type_: pa.DataType) -> bool:
    return any(kind(type_) for kind in _TEXTS)


def _may_cast(given: pa.DataType, rule: Rule) -> bool:
    if types.is_null(given):
        return True
    old, new = _family(given), _family(rule.type)
    if old is not None and (old is new or (old, new) in _WIDENS):
        return True
    # What else the author asks for is judged value by value.
    return rule.origin is Origin.NAMED and not types.is_nested(given)


def _family(type_: pa.DataType) -> Callable[[pa.DataType], bool] | None:
    return next((family for family in _FAMILIES if family(type_)), None)


def _moments(values: pa.Array, rule: Rule) -> pa.Array:
    try:
        # Its own zone is how a timestamp is shown, not what it is.
        fine = values.cast(pa.timestamp("us", values.type.tz and "UTC"))
        return zoned(fine, rule.type, rule.zone)
    except (pa.ArrowException, ValueError) as error:
        raise _refused(values, 0, str(error)) from error


def _back_and_forth(values: pa.Array, rule: Rule) -> pa.Array:
    try:
        cast = values.cast(rule.type)
        back = cast.cast(values.type)
    except pa.ArrowException as error:
        raise _refused(values, 0, str(error)) from error
    changed = pc.not_equal(back, values)
    if types.is_floating(values.type):
        changed = pc.and_(changed, pc.invert(pc.is_nan(values)))
    if pc.any(changed).as_py():
        place = pc.index(changed, True).as_py()
        raise _refused(values, place, "it would not be the same value")
    return cast


def _refused(values: pa.Array, place: int, why: str) -> ValueRefusedError:
    text = str(values[place].as_py()) if len(values) else ""
    return ValueRefusedError(place, text, why)
