"""A publishing transaction as one statement, which a warehouse runs while nobody waits for it.

A script gives one row with one text: the rows that each statement changed, with commas. It is `0`
where the fence found no row: the transaction was rolled back.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import literal
from airflow_dataops.core.engines.statements import MARK
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.engines.statements import Statement
    from airflow_dataops.core.engines.values import ScriptSql


def has_scripts(dialect: str) -> bool:
    """Tell whether an engine runs scripts while nobody waits."""
    return get_engine(dialect).scripts is not None


def publication_script(fence: Statement, statements: Sequence[Statement], dialect: str) -> str:
    """Return one statement that runs others in a transaction, the fence first."""
    listed = [embedded(statement, dialect) for statement in statements]
    return _scripts(dialect).publication(embedded(fence, dialect), listed)


def embedded(statement: Statement, dialect: str) -> str:
    """Return a statement's text with its values in it: a script binds none."""
    parts = statement.sql.split(MARK)
    values = [_value(value, dialect) for value in statement.parameters]
    return "".join(part + value for part, value in zip(parts, [*values, ""], strict=True))


def _value(value: object, dialect: str) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case float() if isfinite(value):
            return repr(value)
        case str():
            return literal(value, dialect)
        case datetime():
            return _moment(value, dialect)
        case date():
            return f"date '{value.isoformat()}'"
    raise ConfigError(
        f"{value!r} cannot be written into a script; set deferrable=False for this load."
    )


def _moment(value: datetime, dialect: str) -> str:
    text = value.isoformat(sep=" ", timespec="microseconds")
    scripts = _scripts(dialect)
    return (scripts.naive if value.tzinfo is None else scripts.aware).format(text)


def _scripts(dialect: str) -> ScriptSql:
    """Return how an engine runs scripts.

    Raises:
        ConfigError: it has none.
    """
    found = get_engine(dialect).scripts
    if found is None:
        raise ConfigError(f"{dialect} runs no scripts; set deferrable=False for this load.")
    return found
