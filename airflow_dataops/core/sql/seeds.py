"""The SQL that loads a seed's rows; values are bound, never part of the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import TokenType
from sqlglot.errors import TokenError

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.engines.statements import MARK, Statement, text
from airflow_dataops.core.engines.types import Family, read_type
from airflow_dataops.core.sql.staging import create_table
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.sql.catalog import Column

_OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET)
_CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET)


def create_stage(staging: Relation, columns: Sequence[Column], dialect: str) -> str:
    """Return a statement that makes an empty staging table."""
    described = ", ".join(f"{quote(c.name, dialect)} {c.type}" for c in columns)
    kept = get_engine(dialect).models.create_staging
    return create_table(staging, f" ({described})", dialect, create_staging=kept)


def insert_values(table: str, columns: Sequence[Column], dialect: str, placeholder: str) -> str:
    """Return a statement that adds a batch of rows given as texts.

    `table` is its name, as SQL. The statement takes one parameter for each column: the list of
    its values. Each is cast to the column's type. Lists are 20 times as fast in DuckDB as one
    parameter for each value.
    """
    quoted = [quote(c.name, dialect) for c in columns]
    casts = ", ".join(f"cast({q} as {c.type})" for q, c in zip(quoted, columns, strict=True))
    texts = ",\n  ".join(f"unnest(cast({MARK} as varchar[])) as {q}" for q in quoted)
    statement = Statement(
        sql=(
            f"insert into {table} ({', '.join(quoted)})\n"
            f"select {casts}\nfrom (select\n  {texts}\n) as batch"
        ),
        parameters=tuple(columns),
    )
    return text(statement, placeholder)


def insert_json(table: str, columns: Sequence[Column], dialect: str, placeholder: str) -> str:
    """Return a statement as `insert_values`, which takes one parameter: a JSON list of rows,
    each a list of texts and NULLs.
    """
    names = ", ".join(quote(c.name, dialect) for c in columns)
    seeds = get_engine(dialect).models.seeds
    fields = (seeds.json_field.format(i) for i in range(len(columns)))
    rows = seeds.json_rows.format(MARK)
    casts = ",\n  ".join(
        f"cast({field} as {c.type})" for field, c in zip(fields, columns, strict=True)
    )
    statement = Statement(
        sql=f"insert into {table} ({names})\nselect\n  {casts}\nfrom {rows}", parameters=("",)
    )
    return text(statement, placeholder)


def insert_rows(
    table: str, columns: Sequence[Column], rows: int, dialect: str, placeholder: str
) -> str:
    """Return a statement as `insert_values`, which takes one parameter for each value of so many
    rows, row by row.
    """
    names = ", ".join(quote(c.name, dialect) for c in columns)
    # A text is not cast, which would cut it to a limit.
    values = (
        MARK if read_type(c.type, dialect).family is Family.TEXT else f"cast({MARK} as {c.type})"
        for c in columns
    )
    row = f"({', '.join(values)})"
    listed = ",\n  ".join([row] * rows)
    statement = Statement(
        sql=f"insert into {table} ({names}) values\n  {listed}",
        parameters=tuple(columns) * rows,
    )
    return text(statement, placeholder)


def every_row(source: str) -> str:
    """Return a query for all rows of a table, given as SQL."""
    return f"select * from {source}"


def delete_all(target: str, dialect: str) -> str:
    """Return a statement that empties a table and, unlike TRUNCATE, can be rolled back."""
    return f"delete from {target}{get_engine(dialect).values.delete_all}"


def check_type(type_: str, dialect: str, where: str) -> str:
    """Return a column type that a user configured, if it can be one type and nothing more.

    Raises:
        ConfigError: it would end its column's definition and say something else.
    """
    try:
        tokens = sqlglot.tokenize(type_, dialect=dialect)
    except TokenError:
        tokens = []
    depth = 0
    sound = bool(tokens)
    for token in tokens:
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        outside = depth == 0 and token.token_type is TokenType.COMMA
        if depth < 0 or outside or token.token_type is TokenType.SEMICOLON or token.comments:
            sound = False
    if not sound or depth:
        raise ConfigError(f"{where}: {type_!r} is not a SQL type; mend column_types.")
    return type_
