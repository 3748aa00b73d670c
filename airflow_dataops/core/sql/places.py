"""What surrounds a mark in SQL: quotes, a name, a comment."""

from __future__ import annotations

import re
from bisect import bisect_right

import sqlglot
from sqlglot import TokenType
from sqlglot.errors import TokenError

from airflow_dataops.core.model import Place

_PREFIX = re.compile(r"(?:&|(?<![A-Za-z0-9_])[A-Za-z]{1,2})$")
"""What makes other rules of the text that follows: `e'..'`, `u&'..'`, though not `date'..'`."""


def places_of(sql: str, spans: list[tuple[int, int]], dialect: str) -> list[Place | None]:
    """Return the places of marks; None where a value could not be written safely.

    That is within dollar quotes, raw strings and the like, and where the SQL cannot be read.

    Args:
        sql: with words that no SQL has where the marks are.
        spans: where each mark begins, and where it is over.
    """
    try:
        tokens = sqlglot.tokenize(sql, dialect=dialect)
    except (TokenError, ValueError):  # not this engine's SQL, or an engine that is not known
        return [None] * len(spans)
    starts = [token.start for token in tokens]
    return [_place(sql, begin, end, tokens, starts) for begin, end in spans]


def _place(
    sql: str, begin: int, end: int, tokens: list[sqlglot.Token], starts: list[int]
) -> Place | None:
    at = bisect_right(starts, begin) - 1
    token = tokens[at] if at >= 0 else None
    if token is None or token.end < begin:
        return Place.COMMENT
    match token.token_type:
        case TokenType.STRING if sql[token.start] in "'\"":
            return None if _PREFIX.search(sql, 0, token.start) else Place.TEXT
        case TokenType.IDENTIFIER:
            return Place.NAME
        case TokenType.VAR | TokenType.NUMBER if (token.start, token.end) == (begin, end - 1):
            joined = _is_word(sql[begin - 1 : begin]) or _is_word(sql[end : end + 1])
            return Place.WORD if joined else Place.BARE
        case TokenType.VAR | TokenType.NUMBER:
            return Place.WORD
    return None


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"
