"""Types of columns: families that engines share, and which fit into which."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from airflow_dataops.core.model import Struct


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
    # It is dear to import, and a task that only creates a table compares no types.
    from airflow_dataops.core.engines.type_spellings import parsed_type

    return parsed_type(text, dialect)


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
