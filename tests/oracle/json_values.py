"""Values of databases as JSON, and back, of the same types."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable


def _first(pair: list[Any]) -> str:
    return json.dumps(pair[0], sort_keys=True)


_TYPES: dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "time": (time, time.isoformat, time.fromisoformat),
    "decimal": (Decimal, str, Decimal),
    "uuid": (UUID, str, UUID),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
    "timedelta": (
        timedelta,
        lambda v: [v.days, v.seconds, v.microseconds],
        lambda v: timedelta(*v),
    ),
    "tuple": (tuple, lambda v: [encoded(each) for each in v], lambda v: tuple(map(decoded, v))),
    "float": (float, repr, float),
    "dict": (
        dict,
        # In the order of the keys: dbt's threads end in another one each time.
        lambda v: sorted(([encoded(key), encoded(each)] for key, each in v.items()), key=_first),
        lambda v: {decoded(key): decoded(each) for key, each in v},
    ),
}
"""By tag: the type, what JSON has of it, and the way back; the first that fits is taken."""


def encoded(value: Any) -> Any:
    """Return a value as JSON has it; what JSON has no type for is tagged with its own."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, list):
        return [encoded(each) for each in value]
    for tag, (kind, to_json, _) in _TYPES.items():
        if isinstance(value, kind):
            return {tag: to_json(value)}
    raise TypeError(f"JSON has no form for {value!r}")


def decoded(value: Any) -> Any:
    """Return what `encoded` was given."""
    if isinstance(value, list):
        return [decoded(each) for each in value]
    if isinstance(value, dict):
        [(tag, of)] = value.items()
        return _TYPES[tag][2](of)
    return value
