"""A publishing transaction as one statement, which a warehouse runs while nobody waits for it.

Snowflake runs a block of Snowflake Scripting
(https://docs.snowflake.com/en/developer-guide/snowflake-scripting/blocks), BigQuery a
multi-statement query (https://cloud.google.com/bigquery/docs/multi-statement-queries). Both
give one row with one text: the rows that each statement changed, with commas. It is `0` where
the fence found no row: the transaction was rolled back.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.identifiers import literal
from airflow_dataops.core.engines.statements import MARK
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_dataops.core.engines.statements import Statement

SUPERSEDED = "0"
"""What a script gives where another attempt has taken the load's place."""


def has_scripts(dialect: str) -> bool:
    """Tell whether an engine runs scripts while nobody waits."""
    return dialect in _SCRIPTS


def publication_script(fence: Statement, statements: Sequence[Statement], dialect: str) -> str:
    """Return one statement that runs others in a transaction, the fence first."""
    listed = [embedded(statement, dialect) for statement in statements]
    return _SCRIPTS[dialect](embedded(fence, dialect), listed)


def embedded(statement: Statement, dialect: str) -> str:
    """Return a statement's text with its values in it: a script binds none."""
    parts = statement.sql.split(MARK)
    values = [_value(value, dialect) for value in statement.parameters]
    return "".join(part + value for part, value in zip(parts, [*values, ""], strict=True))


def _snowflake(fence: str, statements: Sequence[str]) -> str:
    counted = "".join(
        f"  {sql};\n  dataops_changed := dataops_changed || ',' || sqlrowcount;\n"
        for sql in statements
    )
    block = (
        "declare\n  dataops_changed varchar;\nbegin\n  begin transaction;\n"
        f"  {fence};\n  dataops_changed := sqlrowcount;\n"
        f"  if (dataops_changed = '{SUPERSEDED}') then\n"
        "    rollback;\n    return dataops_changed;\n  end if;\n"
        f"{counted}  commit;\n  return dataops_changed;\n"
        "exception\n  when other then\n    rollback;\n    raise;\nend;"
    )
    quoted = f"$$\n{block}\n$$" if "$$" not in block else literal(block, "snowflake")
    return f"execute immediate {quoted}"


def _bigquery(fence: str, statements: Sequence[str]) -> str:
    counted = "".join(
        f"    {sql};\n    set dataops_changed ="
        " concat(dataops_changed, ',', cast(@@row_count as string));\n"
        for sql in statements
    )
    return (
        "declare dataops_changed string;\nbegin\n  begin transaction;\n"
        f"  {fence};\n  set dataops_changed = cast(@@row_count as string);\n"
        f"  if dataops_changed = '{SUPERSEDED}' then\n    rollback transaction;\n  else\n"
        f"{counted}    commit transaction;\n  end if;\n"
        "exception when error then\n  set dataops_changed = @@error.message;\n"
        # Some errors end a transaction by themselves, and another ROLLBACK would hide them.
        "  begin\n    rollback transaction;\n"
        "  exception when error then\n    select 'rolled back';\n  end;\n"
        "  raise using message = dataops_changed;\nend;\n"
        "select dataops_changed"
    )


_SCRIPTS: dict[str, Callable[[str, Sequence[str]], str]] = {
    "snowflake": _snowflake,
    "bigquery": _bigquery,
}


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
    zoned = value.tzinfo is not None
    if dialect == "bigquery":
        return f"{'timestamp' if zoned else 'datetime'} '{text}'"
    return f"to_timestamp_{'tz' if zoned else 'ntz'}('{text}')"
