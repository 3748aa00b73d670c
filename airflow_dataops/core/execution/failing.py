"""Errors of engines while a node is run, told as ours: which node, which file, what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_dataops.core.execution.explained import Place, causes, explained
from airflow_dataops.errors import DataOpsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.model import Code, Node
    from airflow_dataops.core.ports import SqlRunner


@contextmanager
def explaining(runner: SqlRunner, place: Place) -> Iterator[None]:
    """Tell of an engine's error in the block with what failed and where it is written.

    Args:
        runner: where it remembers what failed (`RecordingRunner`), that statement is told.

    Raises:
        RunError: running it again would end the same.
        RetryableError: it may not.
    """
    try:
        yield
    except DataOpsError:
        raise
    except Exception as error:
        found = explained(error, place=place, statement=failed_statement(runner, error))
        if found is None:
            raise
        raise found from error


def place_of(node: Node, code: Code) -> Place:
    """Return where a node is written. Of two queries it is the one for a first build."""
    return Place(name=node.id, path=node.path, code=code.sql or "")


def failed_statement(runner: SqlRunner, error: BaseException) -> str:
    """Return the statement that raised an error, as far as a runner remembers it."""
    failed = getattr(runner, "failed", None)
    if failed is None:
        return ""
    culprit, sql = failed
    return str(sql) if any(each is culprit for each in causes(error)) else ""
