"""Which values come out of a column other than they went in, and staged rows as a table keeps them.

A load compares what it staged with what its target holds, and what it staged with itself. Both
must be done on values as the target holds them: a time of a microsecond is found again in a
column of milliseconds only once it is cut as well.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote, quote_all
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import Statement
from airflow_dataops.core.engines.types import Family, Type, needs_cast, read_type
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql.comparisons import differ
from airflow_dataops.core.sql.staging import create_table
from airflow_dataops.core.sql.tables import TableColumn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.sql.tables import Table


class Loss(StrEnum):
    """What may become of the values of one column in another."""

    NONE = "none"
    """They stay, and are equal where they were."""
    SOME = "some"
    """A value that does not stay is distinct from what becomes of it."""
    ANY = "any"
    """Values that were distinct may be equal, which comparing them does not tell."""


class Retyped(Struct, frozen=True):
    """A column of staged rows that are made anew.

    Attributes:
        source: the staged column that its values come from.
        like: what it is declared as.
        cast: the type that values are converted to first, where storing them does not do it.
    """

    name: str
    source: str
    like: TableColumn
    cast: str = ""


_SMALL = ("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "UTINYINT", "USMALLINT", "UMEDIUMINT", "UINT")
_WHOLE = (*_SMALL, "BIGINT", "UBIGINT")
_DECIMALS = ("DECIMAL", "BIGDECIMAL")
_PADDED = ("CHAR", "NCHAR", "NAME")


def loss(source: TableColumn, target: TableColumn, dialect: str) -> Loss:
    """Tell what may become of the values of a staged column in a column of the target."""
    if source.declared == target.declared:
        return Loss.NONE
    if source.clause != target.clause:
        return Loss.ANY
    old, new = read_type(source.type, dialect), read_type(target.type, dialect)
    if old.family is not new.family:
        return Loss.NONE if old.family is Family.NULL or _is_wider(old, new) else Loss.ANY
    match old.family:
        case Family.BOOLEAN | Family.DATE | Family.BINARY:
            return Loss.NONE
        case Family.INTEGER:
            return Loss.NONE if {old.kind, new.kind} <= {*_WHOLE} else Loss.ANY
        case Family.DECIMAL:
            return _of_decimals(old, new)
        case Family.FLOAT:
            return Loss.NONE if new.kind == "DOUBLE" else Loss.SOME
        case Family.TEXT:
            return _of_texts(old, new, trims=get_engine(dialect).loads.trims_texts)
        case Family.TIME | Family.NAIVE | Family.AWARE:
            return _of_times(old, new)
        case _:
            return Loss.ANY


def is_changed(source: str, target: TableColumn, dialect: str) -> Statement:
    """Return the condition that a staged value is not as the target will hold it.

    Args:
        source: the name of the staged column.
    """
    column = quote(source, dialect)
    return Statement(sql=differ(f"cast({column} as {target.type})", column, dialect))


def retyped(
    source: TableColumn, target: TableColumn, dialect: str, *, name: str | None = None
) -> Retyped:
    """Return a staged column as a column of the target holds it."""
    explicit = needs_cast(source.type, target.type, dialect)
    return Retyped(
        name=name or source.name,
        source=source.name,
        like=target,
        cast=target.cast if explicit else "",
    )


def make_anew(
    new: Relation, staged: Table, columns: Sequence[Retyped], dialect: str
) -> tuple[Statement, ...]:
    """Return the statements for a staging table of the same rows, with columns of other types.

    The rows are inserted, not cast, so that the engine rounds and refuses as it will when it
    inserts them into the target: a cast would cut a text that is too long without a word.
    """
    declared = ", ".join(f"{quote(c.name, dialect)} {c.like.declared}" for c in columns)
    values = ", ".join(
        f"cast({quote(c.source, dialect)} as {c.cast})" if c.cast else quote(c.source, dialect)
        for c in columns
    )
    names = quote_all([column.name for column in columns], dialect)
    return (
        Statement(sql=create_table(new, f" ({declared})", dialect)),
        Statement(
            sql=f"insert into {render(new, dialect)} ({names})\nselect {values} from {staged.sql}"
        ),
    )


def _is_wider(old: Type, new: Type) -> bool:
    """Tell whether all values of a type are values of one of another family."""
    match old.family, new.family:
        case Family.INTEGER, Family.DECIMAL:
            return old.kind in _WHOLE and new.kind in _DECIMALS
        case Family.DECIMAL, Family.INTEGER:
            return old.scale == 0 and new.kind in _WHOLE
        case Family.INTEGER, Family.FLOAT:
            return old.kind in _SMALL and new.kind == "DOUBLE"
        case Family.DATE, Family.NAIVE:
            return True
        case _:
            return False


def _of_decimals(old: Type, new: Type) -> Loss:
    if not {old.kind, new.kind} <= {*_DECIMALS}:
        return Loss.ANY
    kept = new.scale is None or (old.scale is not None and old.scale <= new.scale)
    narrows = (old.kind, new.kind) == ("BIGDECIMAL", "DECIMAL")
    return Loss.NONE if kept and not narrows else Loss.SOME


def _of_texts(old: Type, new: Type, *, trims: bool) -> Loss:
    if old.kind in _PADDED or new.kind in _PADDED:
        return Loss.ANY
    fits = new.length is None or (old.length is not None and old.length <= new.length)
    return Loss.NONE if fits or not trims else Loss.SOME


def _of_times(old: Type, new: Type) -> Loss:
    if old.kind != new.kind and old.family is not Family.NAIVE:
        return Loss.ANY
    return Loss.NONE if new.digits >= old.digits else Loss.SOME
