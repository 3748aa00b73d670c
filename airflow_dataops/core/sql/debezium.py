"""Debezium's envelope as plain events.

https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events:
`before` and `after` are the row as a JSON object, `op` is c, r, u or d. A change of the primary
key is a deletion of the old key and an upsert of the new one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.engines.types import Family, read_type
from airflow_dataops.core.sql.comparisons import differ
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_dataops.core.engines.base import Engine
    from airflow_dataops.core.sql.tables import TableColumn

BEFORE, AFTER = "before", "after"
_SIZES = re.compile(r"\((\d+), ?(\d+)\)")
SCHEMA_CHANGE = ("ddl", "tableChanges")
SEQUENCE, DELETES = "dataops_sequence", "dataops_deletes"


def flattened(
    source: str,
    columns: Sequence[TableColumn],
    fields: Mapping[str, str],
    keys: Sequence[str],
    sequence: str,
    deletes: str,
    engine: Engine,
) -> str:
    """Return the query for plain events: the target's columns, sequence and deletion.

    Args:
        columns: the target's columns that the objects may have.
        fields: the objects' name of each of them.
        deletes: the condition for deletions.
    """
    seq = f"{quote(sequence, engine.name)} as {quote(SEQUENCE, engine.name)}"
    after = ",\n  ".join(_field(AFTER, column, fields, engine) for column in columns)
    before = ",\n  ".join(
        _field(BEFORE, column, fields, engine)
        if column.name in keys
        else f"cast(null as {column.cast}) as {quote(column.name, engine.name)}"
        for column in columns
    )
    old_key = " or ".join(
        differ(_raw(BEFORE, fields[key], engine), _raw(AFTER, fields[key], engine), engine.name)
        for key in keys
    )
    old, new = quote(BEFORE, engine.name), quote(AFTER, engine.name)
    return (
        f"select {after},\n  {seq}, false as {quote(DELETES, engine.name)}\nfrom {source}\n"
        f"where not ({deletes}) and {new} is not null\n"
        f"union all\nselect {before},\n  {seq}, true\nfrom {source}\n"
        f"where {old} is not null and (({deletes}) or ({new} is not null and ({old_key})))"
    )


def side(name: str, engine: Engine) -> str:
    """Return the column that holds the row before or after, as SQL."""
    return quote(name, engine.name)


def is_schema_change(op: str, signs: Sequence[str], dialect: str) -> str:
    """Return the condition for records of a schema history topic.

    https://debezium.io/documentation/reference/stable/connectors/mysql.html#mysql-schema-change-topic

    Args:
        signs: those of the columns `SCHEMA_CHANGE` that there are.
    """
    told = " or ".join(f"{quote(name, dialect)} is not null" for name in signs)
    return f"({quote(op, dialect)} is null and ({told}))"


def is_tombstone(op: str, dialect: str) -> str:
    """Return the condition for the empty records that follow a deletion in a compacted topic."""
    names = (op, BEFORE, AFTER)
    return "(" + " and ".join(f"{quote(name, dialect)} is null" for name in names) + ")"


def incomplete(deletes: str, dialect: str) -> str:
    """Return the condition for events that lack the row they are about."""
    old, new = quote(BEFORE, dialect), quote(AFTER, dialect)
    return f"case when {deletes} then {old} is null else {new} is null end"


def unavailable(columns: Sequence[str], dialect: str) -> str:
    """Return the condition for rows with a large value that the database did not log.

    Args:
        columns: those that hold texts.
    """
    tests = (f"{quote(name, dialect)} = '__debezium_unavailable_value'" for name in columns)
    return " or ".join(tests) or "false"


def losing(name: str, column: TableColumn, field: str, engine: Engine) -> Statement | None:
    """Return the condition that a field would lose something as a value of a column.

    Engines cut a text, round a number and drop an offset where they are told to convert.

    Args:
        name: `BEFORE` or `AFTER`.

    Returns:
        None where the engine itself refuses all that it would lose.
    """
    raw, family = _raw(name, field, engine), read_type(column.type, engine.name).family
    cast = f"cast({raw} as {column.type})"
    match family:
        case Family.NAIVE:  # Z is the clock of the connector's database
            return Statement(
                sql=f"(({raw} like {MARK} or {raw} like {MARK}) and {raw} not like {MARK})",
                parameters=("%T%+__:__", "%T%-__:__", "%+00:00"),
            )
        case Family.DATE:
            return Statement(
                sql=f"({raw} like {MARK} and {raw} not like {MARK})",
                parameters=("%T%", "%T00:00:00%"),
            )
        case Family.INTEGER:
            return Statement(sql=f"{raw} like {MARK}", parameters=("%.%",))
        case Family.DECIMAL:
            return _rounded(name, column, field, engine)
        case Family.TEXT if "(" in column.type:
            return Statement(sql=f"cast({cast} as {engine.loads.types.text}) <> rtrim({raw})")
    return None


def _rounded(name: str, column: TableColumn, field: str, engine: Engine) -> Statement:
    raw, sizes = _raw(name, field, engine), _SIZES.search(column.type)
    tests, parameters = ["false"], []
    if sizes is not None:
        widest = engine.loads.widest_decimal.format(scale=38 - int(sizes[1]) + int(sizes[2]))
        tests.append(f"cast({raw} as {column.type}) <> cast({raw} as {widest})")
        if engine.loads.fraction is not None:
            fraction = engine.loads.fraction.format(raw)
            digits = f"length(rtrim({fraction}, '0')) > {int(sizes[2])}"
            tests.append(f"({digits} and lower({raw}) not like {MARK})")
            parameters.append("%e%")
    if engine.loads.json_rounds is not None:
        tests.append(engine.loads.json_rounds(side(name, engine), field))
    return Statement(sql=f"({' or '.join(tests)})", parameters=tuple(parameters))


def _field(name: str, column: TableColumn, fields: Mapping[str, str], engine: Engine) -> str:
    raw = _raw(name, fields[column.name], engine)
    return f"cast({raw} as {column.cast}) as {quote(column.name, engine.name)}"


def _raw(name: str, field: str, engine: Engine) -> str:
    if engine.loads.json_field is None:
        raise ConfigError(
            f"envelope: on {engine.errors.title} the rows of Debezium's envelopes, which are JSON, "
            "are not read faithfully. Send plain events (the connector's ExtractNewRecordState)."
        )
    return engine.loads.json_field(side(name, engine), field)
