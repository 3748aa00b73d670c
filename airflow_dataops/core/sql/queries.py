"""An author's query, as it goes into a statement."""

from __future__ import annotations

from itertools import takewhile

import sqlglot
from sqlglot import TokenType
from sqlglot.errors import TokenError

from airflow_dataops.errors import ConfigError


def bare_query(sql: str, dialect: str) -> str:
    """Return a query without the semicolon at its end, and what comments follow it.

    A semicolon in a text, a name or a comment is left alone; what cannot be read is left to the
    engine.

    Raises:
        ConfigError: there are several statements, or none.
    """
    if ";" not in sql:
        return sql
    try:
        tokens = sqlglot.tokenize(sql, dialect=dialect)
    except TokenError:
        return sql
    ends = list(takewhile(_is_end, reversed(tokens)))
    query = tokens[: len(tokens) - len(ends)]
    if not query:
        raise ConfigError("sql holds no query.")
    if any(map(_is_end, query)):
        raise ConfigError(
            "sql holds several statements, and its rows are those of one query: take the others "
            "out."
        )
    return sql[: ends[-1].start] if ends else sql


def _is_end(token: sqlglot.Token) -> bool:
    return token.token_type is TokenType.SEMICOLON
