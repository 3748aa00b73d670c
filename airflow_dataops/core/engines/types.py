"""Types of columns: families that engines share, and which fit into which."""

from __future__ import annotations

from enum import StrEnum
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from sqlglot import exp


class Family(StrEnum):
    """What the values of a type are."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    DATE = "date"
    TIME = "time"
    NAIVE = "timestamp without time zone"
    AWARE = "timestamp with time zone"
    BINARY = "binary"
    NULL = "null"
    OTHER = "other"


class Type(Struct, frozen=True):
    """A type, read from an engine's spelling.

    Attributes:
        kind: which of its family, as sqlglot names it.
        scale: digits after the point of a decimal; None where the type leaves it open.
        digits: those of a second's fraction, of a time.
        length: the most characters (or bytes) of a text; None where the type leaves it open.
    """

    family: Family
    kind: str = ""
    scale: int | None = None
    digits: int = 0
    length: int | None = None


_FAMILIES = (
    (Family.BOOLEAN, {"BOOLEAN"}),
    (Family.FLOAT, {"FLOAT", "DOUBLE"}),
    (Family.DECIMAL, {"DECIMAL", "BIGDECIMAL", "UDECIMAL", "DECFLOAT"}),
    (Family.TEXT, {"CHAR", "NCHAR", "VARCHAR", "NVARCHAR", "TEXT", "NAME"}),
    (Family.DATE, {"DATE", "DATE32"}),
    (Family.TIME, {"TIME", "TIMETZ", "TIME_NS"}),
    (Family.AWARE, {"TIMESTAMPTZ", "TIMESTAMPLTZ"}),
    (
        Family.NAIVE,
        {"TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATETIME"},
    ),
    (Family.BINARY, {"BINARY", "VARBINARY", "BLOB"}),
    (Family.NULL, {"NULL"}),
)
"""By family: kinds, as sqlglot names them; it lists the integers itself."""
_DIGITS = {"TIMESTAMP_S": 0, "TIMESTAMP_MS": 3, "TIMESTAMP_NS": 9, "TIME_NS": 9}
"""Of a second's fraction, where the kind's name tells them."""
_CLOCKS = (Family.TIME, Family.NAIVE, Family.AWARE)
TIMES = (Family.DATE, Family.NAIVE, Family.AWARE)
"""The families that say when."""
_WIDENS = {
    (Family.INTEGER, Family.DECIMAL),
    (Family.INTEGER, Family.FLOAT),
    (Family.DECIMAL, Family.FLOAT),
    (Family.DATE, Family.NAIVE),
}


@lru_cache(maxsize=1024)
def read_type(text: str, dialect: str) -> Type:
    """Read an engine's spelling of a type, such as `DECIMAL(18,3)`."""
    if text.strip('"').upper() == "NULL":  # DuckDB's type of a bare NULL
        return Type(family=Family.NULL)
    # Dear to import, and a task that only creates a table compares no types.
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        parsed = exp.DataType.build(text, dialect=dialect)
    except SqlglotError:
        return Type(family=Family.OTHER)
    family = _families().get(parsed.this.value, Family.OTHER)
    kind = parsed.this.value if family is not Family.OTHER else ""
    sizes = [int(size) for p in parsed.expressions if (size := p.name).isdigit()]
    if family is Family.DECIMAL:
        return Type(family=family, kind=kind, scale=_scale(parsed, sizes))
    if family in _CLOCKS:
        digits = sizes[0] if sizes else _DIGITS.get(kind, _time_digits(dialect))
        return Type(family=family, kind=kind, digits=digits)
    if family in (Family.TEXT, Family.BINARY):
        return Type(family=family, kind=kind, length=sizes[0] if sizes else None)
    return Type(family=family, kind=kind)


@cache
def _families() -> dict[str, Family]:
    """Return the family of each kind, by its name in sqlglot."""
    from sqlglot import exp

    integers = {kind.value for kind in exp.DataType.INTEGER_TYPES} - {"BIT"}
    families = (*_FAMILIES, (Family.INTEGER, integers))
    return {kind: family for family, kinds in families for kind in kinds}


def _time_digits(dialect: str) -> int:
    from airflow_dataops.core.engines.registry import find_engine

    engine = find_engine(dialect)
    return 6 if engine is None else engine.values.time_digits


def _scale(parsed: exp.DataType, sizes: list[int]) -> int | None:
    if not parsed.expressions:
        # BigQuery's BIGNUMERIC; others have none of the kind.
        return 38 if parsed.this.value == "BIGDECIMAL" else None
    return sizes[1] if len(sizes) > 1 else 0


def misfit(source: str, target: str, dialect: str) -> str | None:
    """Say why values of one type do not go into another, or None where they may.

    Widening is fine. What would lose digits, a time of day or the meaning of a time is not.
    Within a family, and for types of no known family, the engine judges each value.
    """
    if source == target:
        return None
    old, new = read_type(source, dialect), read_type(target, dialect)
    if Family.NULL in (old.family, new.family) or Family.OTHER in (old.family, new.family):
        return None
    if old.family is new.family is Family.DECIMAL:
        cut = None not in (old.scale, new.scale) and (old.scale or 0) > (new.scale or 0)
        return "it would lose digits after the point" if cut else None
    if old.family is new.family is Family.TIME and (old.kind == "TIMETZ") != (new.kind == "TIMETZ"):
        return "a time with and one without a time zone are different things"
    if old.family is new.family or (old.family, new.family) in _WIDENS:
        return None
    if old.family is Family.DECIMAL and old.scale == 0 and new.family is Family.INTEGER:
        return None
    if {old.family, new.family} <= {Family.NAIVE, Family.AWARE, Family.DATE}:
        return f"{old.family} and {new.family} are different things"
    return f"{old.family} is not {new.family}"


def needs_cast(source: str, target: str, dialect: str) -> bool:
    """Tell whether an engine may refuse to convert without being told to.

    That is so for types of no shared family: texts that are UUIDs or JSON, and bare NULLs.
    """
    if source == target:
        return False
    return Family.OTHER in (read_type(source, dialect).family, read_type(target, dialect).family)
