"""Statements as data: a text, the values bound to it, and what its row count means."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from airflow_dataops.core.ports import SqlRunner

MARK = "\0"
"""Stands for a bound value until the runner says which mark it takes; no name can hold it."""


class Effect(StrEnum):
    """What the rows that a statement changed were."""

    NONE = "none"
    INSERTED = "inserted"
    UPDATED = "updated"
    DELETED = "deleted"
    REMOVED = "removed"
    """Deleted in order to be inserted again in the same transaction."""
    DEFINED = "defined"
    """The columns of a table changed."""
    WRITTEN = "written"
    """Inserted or updated; the engine does not tell which."""


class Lock(StrEnum):
    """Whom a statement keeps off a table until the transaction ends, beyond its own rows."""

    NOBODY = "nobody"
    READERS = "readers"
    """Who reads the table, too: it waits for them, and they for it."""


class Statement(Struct, frozen=True):
    """One SQL statement. Each `MARK` in its text stands for the next of its parameters."""

    sql: str
    parameters: tuple[Any, ...] = ()
    effect: Effect = Effect.NONE
    locks: Lock = Lock.NOBODY


def text(statement: Statement, placeholder: str) -> str:
    """Return a statement's text with the marks of a runner."""
    if not statement.parameters:
        return statement.sql
    # Where values are marked by %s, drivers read every other % as well.
    sql = statement.sql.replace("%", "%%") if placeholder == "%s" else statement.sql
    return sql.replace(MARK, placeholder)


def send(statement: Statement, runner: SqlRunner) -> int:
    """Run a statement; return the rows it changed, -1 where the engine does not say."""
    return runner.execute(text(statement, runner.placeholder), statement.parameters)


def ask(statement: Statement, runner: SqlRunner) -> list[tuple[Any, ...]]:
    """Run a query; return its rows."""
    return runner.fetch(text(statement, runner.placeholder), statement.parameters)
