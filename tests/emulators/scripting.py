"""Runs the scripts of `core.sql.scripts` statement by statement, for emulators that have none.

It knows the words that those scripts use and no others: an unknown one is sent as SQL, and the
engine refuses it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sqlglot
from sqlglot.tokens import TokenType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_IMMEDIATE = re.compile(r"\s*execute immediate\s+('.*'|\$\$.*\$\$)\s*", re.IGNORECASE | re.DOTALL)
_IGNORED = re.compile(
    r"\s*(declare\s+dataops_changed\s+(varchar|string)|end if|end|raise|else"
    r"|if \(?dataops_changed = '0'\)? then|exception\s+when\s+(error|other)\s+then"
    r"|begin(?!\s+transaction))(?=\s|$)",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"(set )?dataops_changed (:=|=) .*(sqlrowcount|@@row_count).*", re.IGNORECASE | re.DOTALL
)


def block_of(statement: str) -> str | None:
    """Return the block that a Snowflake statement runs, None where it runs none."""
    found = _IMMEDIATE.fullmatch(statement)
    if found is None:
        return None
    [token] = sqlglot.tokenize(found[1], read="snowflake")
    return str(token.text)


def run_script(
    script: str,
    dialect: str,
    execute: Callable[[str], int],
    before_commit: Callable[[], None] = lambda: None,
) -> str:
    """Run a script; return what it gives.

    Args:
        execute: runs one statement; returns the rows it changed. What it raises ends the
            script, after a rollback.
        before_commit: called when all but the commit is done.
    """
    changed: list[int] = []
    rows = 0
    try:
        for step in _steps(script, dialect):
            folded = step.casefold()
            if folded in ("begin transaction", "commit", "commit transaction"):
                if folded != "begin transaction":
                    before_commit()
                execute(folded)
                if folded != "begin transaction":
                    break
            elif _COUNTED.fullmatch(step):
                changed.append(rows)
                if changed == [0]:
                    execute("rollback transaction" if dialect == "bigquery" else "rollback")
                    break
            elif not folded.startswith(("rollback", "return")):
                rows = execute(step)
    except BaseException:
        execute("rollback transaction" if dialect == "bigquery" else "rollback")
        raise
    return ",".join(map(str, changed))


def _steps(script: str, dialect: str) -> Iterator[str]:
    """Yield the statements of a script, without the words that only give it its form."""
    for text in _split(script, dialect):
        step = text
        while found := _IGNORED.match(step):
            step = step[found.end() :]
        if step.strip():
            yield step.strip()


def _split(script: str, dialect: str) -> Iterator[str]:
    start = 0
    for token in sqlglot.tokenize(script, read=dialect):
        if token.token_type is TokenType.SEMICOLON:
            yield script[start : token.start]
            start = token.end + 1
    yield script[start:]
