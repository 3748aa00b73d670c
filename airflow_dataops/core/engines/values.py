"""How values are written, compared and cast on an engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from airflow_dataops.core.engines.types import Family
from airflow_dataops.core.model import Struct

SUPERSEDED = "0"
"""What a script gives where another attempt has taken the load's place."""


def decimal(precision: int, scale: int) -> str:
    """Return the decimal type of the SQL standard."""
    return f"decimal({precision}, {scale})"


class ValueSql(Struct, frozen=True):
    """One engine's values. `{}` stands for an expression.

    Attributes:
        whole: the type that holds whole numbers of up to 38 digits.
        is_whole: the condition that a text is such a number.
        not_finite: the condition for NaN and the infinities of a column of a family; None
            where it has none of them. It is NULL or false where the column is NULL.
        number, text: the types of numbers with an exponent, and of texts without a limit.
        naive, aware: the types of times without and with a time zone.
        epoch: the seconds since 1970 of a time.
        day_in_zone: the day of a time (`{value}`) in a time zone (`{zone}`, a literal).
        day_as_text: a date as `2024-01-31`, whatever the session's settings.
        time_digits: those of a second's fraction, where a type does not say.
        nan_differs: whether NaN differs from itself.
        except_all: whether EXCEPT ALL is there; elsewhere the copies of a row are numbered.
        except_once: how EXCEPT is written that gives each row once.
        grouped_float: a number with an exponent, so that it can be grouped by.
        as_comparable: a value whose type has no equality, as a text.
        same, differ: the conditions that two values, `{0}` and `{1}`, are alike and not,
            where NULL is like NULL. `differ` may be NULL where it is not true.
        delete_all: DELETE without a condition ends with it.
        target_alias: whether the table that DELETE or MERGE changes can go by an alias.
        type_aliases: other names of types, in capitals, with those that catalogues tell.
        bulk_types: the types of bulk columns (docs/loads/transfer.md) that have other names here.
        decimal: the type of decimals by precision and scale.
    """

    whole: str
    is_whole: str
    not_finite: Callable[[str, Family], str | None]
    number: str = "double"
    text: str = "varchar"
    naive: str = "timestamp"
    aware: str = "timestamp with time zone"
    epoch: str = "extract(epoch from {})"
    day_in_zone: str = "cast({value} at time zone {zone} as date)"
    day_as_text: str = "cast({} as varchar)"
    time_digits: int = 6
    nan_differs: bool = False
    except_all: bool = False
    except_once: str = "except"
    grouped_float: str = "{}"
    as_comparable: str = "cast({} as text)"
    same: str = "{0} is not distinct from {1}"
    differ: str = "{0} is distinct from {1}"
    delete_all: str = ""
    target_alias: bool = True
    type_aliases: dict[str, str] = {}
    bulk_types: dict[str, str] = {}
    decimal: Callable[[int, int], str] = decimal


class ScriptSql(Struct, frozen=True):
    """How an engine runs a publishing transaction as one statement, while nobody waits.

    Attributes:
        publication: the statement for a fence and what it guards, as SQL with values in it.
        naive, aware: a literal of a time, `{}` for its text.
    """

    publication: Callable[[str, Sequence[str]], str]
    naive: str
    aware: str
