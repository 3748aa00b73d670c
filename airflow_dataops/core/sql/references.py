"""References to relations in compiled SQL, put elsewhere: as if dbt had rendered them so.

Only what names a relation by all of its parts is touched, as dbt's `ref()` writes it; every other
letter stays as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import sqlglot
from msgspec.structs import replace
from sqlglot import TokenType
from sqlglot.errors import TokenError

from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_dataops.core.model import Relation

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


class Moved(NamedTuple):
    """SQL with other relations in it, and which ones were there to be moved."""

    sql: str
    found: frozenset[Relation]


def move_references(sql: str, moves: Mapping[Relation, Relation], dialect: str) -> Moved:
    """Put other relations in the place of some.

    Args:
        moves: the new relation by the old one.

    Raises:
        RunError: the SQL cannot be read, or names one of them in part or in a text, which may
            mean it or something else.
    """
    try:
        tokens = sqlglot.tokenize(sql, read=dialect)
    except (TokenError, ValueError) as error:
        raise RunError(f"the SQL cannot be read for references to put elsewhere: {error}") from None
    pieces: list[str] = []
    found: set[Relation] = set()
    done = 0
    names = list(_names(tokens))
    for first, parts in names:
        for old, new in moves.items():
            wanted = _parts(old)
            if len(parts) >= len(wanted) and all(map(_is, parts, wanted)):
                last = parts[len(wanted) - 1]
                pieces += [
                    sql[done : first.start],
                    _written(new, parts[: len(wanted)], dialect),
                ]
                done = last.end + 1
                found.add(old)
                break
        else:
            _refuse_part(parts, moves)
    for token in tokens:
        if "STRING" in token.token_type.name:
            _refuse_text(token.text, moves)
    return Moved("".join([*pieces, sql[done:]]), frozenset(found))


def mentions(sql: str, relation: Relation) -> bool:
    """Tell whether a text names a relation by all of its parts, be it in a comment."""
    quoted = (rf'["`]?{re.escape(part)}["`]?' for part in _parts(relation))
    return re.search(r"\.".join(quoted), sql, re.IGNORECASE) is not None


def _names(tokens: Sequence[sqlglot.Token]) -> Iterator[tuple[sqlglot.Token, list[sqlglot.Token]]]:
    """Yield names of several parts, joined by dots, each with its first token."""
    at = 0
    while at < len(tokens):
        parts = [tokens[at]]
        while (
            at + 2 < len(tokens)
            and tokens[at + 1].token_type is TokenType.DOT
            and _is_name(tokens[at])
            and _is_name(tokens[at + 2])
        ):
            at += 2
            parts.append(tokens[at])
        if len(parts) > 1:
            yield parts[0], parts
        at += 1


def _is_name(token: sqlglot.Token) -> bool:
    return token.token_type is TokenType.IDENTIFIER or _PLAIN.fullmatch(token.text) is not None


def _parts(relation: Relation) -> list[str]:
    named = (relation.database, relation.schema, relation.identifier)
    return [part for part in named if part is not None]


def _is(token: sqlglot.Token, part: str) -> bool:
    if token.token_type is TokenType.IDENTIFIER:
        return token.text == part
    return token.text.lower() == part.lower()


def _written(new: Relation, old: Sequence[sqlglot.Token], dialect: str) -> str:
    """Write a relation in the manner of another: in quotes where that was."""
    parts = _parts(new)
    manner = [token.token_type is TokenType.IDENTIFIER for token in old]
    manner = ([manner[0]] * len(parts) + manner)[-len(parts) :]
    return ".".join(
        quote(part, dialect) if quoted or not _PLAIN.fullmatch(part) else part
        for part, quoted in zip(parts, manner, strict=True)
    )


def _refuse_part(parts: Sequence[sqlglot.Token], moves: Mapping[Relation, Relation]) -> None:
    for old in moves:
        wanted = _parts(old)[-2:]
        is_part = len(wanted) == 2 and all(map(_is, parts[:2], wanted))
        if is_part and old.database is not None:
            raise _doubt(old, ".".join(part.text for part in parts))


def _refuse_text(text: str, moves: Mapping[Relation, Relation]) -> None:
    for old in moves:
        if old.schema is not None and mentions(text, replace(old, database=None)):
            raise _doubt(old, repr(text))


def _doubt(old: Relation, named: str) -> RunError:
    return RunError(
        f"the SQL names {named}, and it cannot be told whether that is {old}, which is read "
        "elsewhere. Write {{ ref(...) }} as it is, or let engine dbt run the node"
    )
