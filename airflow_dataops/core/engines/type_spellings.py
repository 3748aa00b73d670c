"""Reads an engine's spelling of a type, with sqlglot."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.errors import SqlglotError

from airflow_dataops.core.engines.types import Family, Type

_T = exp.DataType.Type
_FAMILIES = (
    (Family.BOOLEAN, {_T.BOOLEAN}),
    (Family.INTEGER, {*exp.DataType.INTEGER_TYPES} - {_T.BIT}),
    (Family.FLOAT, {_T.FLOAT, _T.DOUBLE}),
    (Family.DECIMAL, {_T.DECIMAL, _T.BIGDECIMAL, _T.UDECIMAL, _T.DECFLOAT}),
    (Family.TEXT, {_T.CHAR, _T.NCHAR, _T.VARCHAR, _T.NVARCHAR, _T.TEXT, _T.NAME}),
    (Family.DATE, {_T.DATE, _T.DATE32}),
    (Family.TIME, {_T.TIME, _T.TIMETZ, _T.TIME_NS}),
    (Family.AWARE, {_T.TIMESTAMPTZ, _T.TIMESTAMPLTZ}),
    (
        Family.NAIVE,
        {_T.TIMESTAMP, _T.TIMESTAMPNTZ, _T.TIMESTAMP_S, _T.TIMESTAMP_MS, _T.TIMESTAMP_NS}
        | {_T.DATETIME},
    ),
    (Family.BINARY, {_T.BINARY, _T.VARBINARY, _T.BLOB}),
    (Family.NULL, {_T.NULL}),
)
_FAMILY_OF = {kind: family for family, kinds in _FAMILIES for kind in kinds}
_DIGITS = {_T.TIMESTAMP_S: 0, _T.TIMESTAMP_MS: 3, _T.TIMESTAMP_NS: 9, _T.TIME_NS: 9}
"""Of a second's fraction, where the type's name tells them."""
_CLOCKS = (Family.TIME, Family.NAIVE, Family.AWARE)


def parsed_type(text: str, dialect: str) -> Type:
    """Return the type that a spelling means; one of no family for what cannot be read."""
    try:
        parsed = exp.DataType.build(text, dialect=dialect)
    except SqlglotError:
        return Type(family=Family.OTHER)
    family = _FAMILY_OF.get(parsed.this, Family.OTHER)
    kind = parsed.this.value if family is not Family.OTHER else ""
    sizes = [int(size) for p in parsed.expressions if (size := p.name).isdigit()]
    if family is Family.DECIMAL:
        return Type(family=family, kind=kind, scale=_scale(parsed, sizes))
    if family in _CLOCKS:
        digits = sizes[0] if sizes else _DIGITS.get(parsed.this, _time_digits(dialect))
        return Type(family=family, kind=kind, digits=digits)
    if family in (Family.TEXT, Family.BINARY):
        return Type(family=family, kind=kind, length=sizes[0] if sizes else None)
    return Type(family=family, kind=kind)


def _time_digits(dialect: str) -> int:
    from airflow_dataops.core.engines.registry import find_engine

    engine = find_engine(dialect)
    return 6 if engine is None else engine.values.time_digits


def _scale(parsed: exp.DataType, sizes: list[int]) -> int | None:
    if not parsed.expressions:
        # BigQuery's BIGNUMERIC; others have none of the kind.
        return 38 if parsed.this is _T.BIGDECIMAL else None
    return sizes[1] if len(sizes) > 1 else 0
