"""Reads JSON objects, a line or a message each, by the rules of their fields.

msgspec refuses what is not JSON (NaN, 007, a raw control character, half an object). Besides are
refused: a name twice in an object, and numbers that their column cannot hold.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple
from pyarrow import types

from airflow_dataops.hooks.value_rules import Rule, ValueRefusedError, read_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_NAMES = (b'":', b" :", b"\t:", b"\n:", b"\r:")
_LONG = b"0" * 16
_NUMERALS = bytes(48 if 48 <= i <= 57 or i == 46 else 32 for i in range(256))
"""Turns digits and points into zeros, and all else into blanks."""


class LineRefusedError(Exception):
    """A line is not what it should be."""

    def __init__(self, index: int, why: str, column: str | None = None) -> None:
        """Keep which line it is, counted from 0, what is wrong, and in which column."""
        super().__init__(why)
        self.index = index
        self.why = why
        self.column = column


class ObjectDecoder:
    """Makes columns of JSON objects.

    Args:
        rules: how each field is read; a field that an object lacks is NULL.
        ignore: leave out the fields that have no rule, instead of refusing them.
    """

    def __init__(self, rules: Mapping[str, Rule], *, ignore: bool) -> None:
        self._rules = dict(rules)
        self._ignore = ignore
        self.schema = pa.schema([(name, rule.type) for name, rule in rules.items()])
        self._floating = any(types.is_floating(rule.type) for rule in rules.values())
        self._fast = self._decoder(exact=False)
        self._exact = self._decoder(exact=True)

    def __call__(self, lines: Sequence[bytes]) -> pa.RecordBatch:
        """Return a row for each line.

        Raises:
            LineRefusedError: one is no such object.
        """
        exact = self._floating and any(map(_may_lose_digits, lines))
        decode = (self._exact if exact else self._fast).decode
        rows: list[tuple[Any, ...]] = []
        try:
            for line in lines:
                rows.append(astuple(decode(line)))  # noqa: PERF401 - how far it came is needed
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise self._wrong(len(rows), lines[len(rows)], error) from error
        self._refuse_repeated(lines, rows)
        columns = zip(*rows, strict=True) if rows else [()] * len(self._rules)
        arrays = [
            self._column(name, rule, list(values), exact=exact)
            for (name, rule), values in zip(self._rules.items(), columns, strict=True)
        ]
        return pa.record_batch(arrays, schema=self.schema)

    def _decoder(self, *, exact: bool) -> msgspec.json.Decoder[Any]:
        fields = [
            (f"f{place}", _json_type(rule, exact=exact) | UnsetType, UNSET)
            for place, rule in enumerate(self._rules.values())
        ]
        struct = msgspec.defstruct(
            "Line",
            fields,
            rename={f"f{place}": name for place, name in enumerate(self._rules)},
            forbid_unknown_fields=not self._ignore,
            gc=False,
        )
        return msgspec.json.Decoder(struct)

    def _wrong(self, index: int, line: bytes, error: Exception) -> LineRefusedError:
        if not line.strip():
            return LineRefusedError(index, "it is empty, and no JSON object")
        return LineRefusedError(index, f"it is no such JSON object: {error}")

    def _refuse_repeated(self, lines: Sequence[bytes], rows: list[tuple[Any, ...]]) -> None:
        """Refuse objects that name a field twice: decoders keep the last one in silence."""
        width = len(self._rules)
        for index, (line, row) in enumerate(zip(lines, rows, strict=True)):
            # A colon after a quote or a blank follows each name, and perhaps is in some texts.
            if sum(map(line.count, _NAMES)) != width - row.count(UNSET):
                repeated = repeated_name(line)
                if repeated is not None:
                    raise LineRefusedError(index, f"it names {repeated!r} twice")

    def _column(self, name: str, rule: Rule, values: list[Any], *, exact: bool) -> pa.Array:
        if UNSET in values:
            values = [None if value is UNSET else value for value in values]
        try:
            return _as_array(rule, values, exact=exact)
        except ValueRefusedError as error:
            why = f"{error.text!r} is no {rule.said}: {error.why}"
            raise LineRefusedError(error.index, why, name) from error
        except (pa.ArrowException, OverflowError, ValueError, TypeError):
            for index, value in enumerate(values):
                try:
                    _as_array(rule, [value], exact=exact)
                except (pa.ArrowException, OverflowError, ValueError, TypeError) as error:
                    why = f"{str(value)[:100]} does not fit {rule.said}: {error}"
                    raise LineRefusedError(index, why, name) from error
            raise


def repeated_name(line: bytes) -> str | None:
    """Return a name that is twice in an object of a JSON text, or None."""
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                found.append(name)
            seen.add(name)

    json.JSONDecoder(object_pairs_hook=look, parse_int=str, parse_float=str).decode(
        line.decode(errors="replace")
    )
    return found[0] if found else None


def _may_lose_digits(line: bytes) -> bool:
    """Tell whether a line may have a number that a double does not hold as it is written."""
    return b"e-" in line or b"E-" in line or _LONG in line.translate(_NUMERALS)


def _json_type(rule: Rule, *, exact: bool) -> Any:
    """Return what msgspec is to take for a column's values."""
    type_ = rule.type
    if rule.nested or (exact and types.is_floating(rule.type)):
        return msgspec.Raw
    if types.is_boolean(type_):
        return bool | None
    if types.is_integer(type_):
        return int | None
    if types.is_floating(type_):
        return int | float | None
    if types.is_decimal(type_):
        return Decimal | None
    return type(None) if types.is_null(type_) else str | None


def _as_array(rule: Rule, values: list[Any], *, exact: bool) -> pa.Array:
    type_ = rule.type
    if rule.nested:
        return pa.array([_raw_text(value) for value in values], pa.string())
    if exact and types.is_floating(rule.type):
        return read_texts(pa.array([_number(value) for value in values], pa.string()), rule)
    if types.is_floating(type_):
        return _doubles(values, type_)
    if _is_plain(type_):
        return pa.array(values, type_)
    return read_texts(pa.array(values, pa.string()), rule)


def _is_plain(type_: pa.DataType) -> bool:
    kinds: tuple[Callable[[pa.DataType], bool], ...] = (
        types.is_boolean,
        types.is_integer,
        types.is_decimal,
        types.is_null,
        types.is_string,
    )
    return any(kind(type_) for kind in kinds)


def _doubles(values: list[Any], type_: pa.DataType) -> pa.Array:
    if types.is_float32(type_):
        return read_texts(pa.array([v if v is None else repr(v) for v in values]), Rule(type_))
    try:
        return pa.array(values, type_)
    except (pa.ArrowException, OverflowError):  # it refuses all whole numbers beyond 2 ** 53
        return pa.array([v if v is None else _exact(v) for v in values], type_)


def _exact(value: float) -> float:
    number = float(value)
    if isinstance(value, int) and int(number) != value:
        raise ValueError("a double does not hold all of its digits; take decimal")
    return number


def _raw_text(value: msgspec.Raw | None) -> str | None:
    if value is None:
        return None
    text = bytes(value).decode()
    if text == "null":
        return None
    if text[0] not in "[{":
        raise ValueError("objects or lists are in this column elsewhere")
    return text


def _number(value: msgspec.Raw | None) -> str | None:
    if value is None:
        return None
    text = bytes(value).decode()
    if text == "null":
        return None
    if text[0] not in "-0123456789":
        raise ValueError("numbers are in this column elsewhere")
    return text
