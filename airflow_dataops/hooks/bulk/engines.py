"""Bulk paths of engines; which module an engine's is in, its connector says."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.sql.bulk import create_bulk_table
from airflow_dataops.errors import MissingExtraError
from airflow_dataops.hooks.connectors import bulk_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.tables import Table
    from airflow_dataops.hooks.bulk.batches import Batches


def read(session: Any, sql: str, parameters: Sequence[Any]) -> AbstractContextManager[Batches]:
    """Run a query and yield its rows as they arrive."""
    found: AbstractContextManager[Batches] = _engine(session.dialect).read(session, sql, parameters)
    return found


def fill(runner: SqlRunner, staging: Relation, batches: Batches) -> int:
    """Make a staging table of rows, by the engine's bulk path; return their number.

    Raises:
        Exception: what the source raised while it was read, or the engine while it wrote.
    """
    with _cause_told(batches):
        _engine(runner.dialect).fill(runner, staging, batches)
    return batches.rows


def fill_like(runner: SqlRunner, staging: Relation, batches: Batches, like: Table) -> bool:
    """Make a staging table of rows; like another table, where the engine has such and they fit.

    Returns:
        Whether it is like the other one.
    """
    engine = _engine(runner.dialect)
    with _cause_told(batches):
        if hasattr(engine, "fill_like"):
            return bool(engine.fill_like(runner, staging, batches, like))
        engine.fill(runner, staging, batches)
    return False


def create_empty(runner: SqlRunner, staging: Relation, batches: Batches) -> None:
    """Make a staging table with the columns of the rows, and none of them."""
    from airflow_dataops.hooks.bulk.arrow_types import bulk_columns

    runner.execute(create_bulk_table(staging, bulk_columns(batches.schema), runner.dialect))


def require_arrow() -> None:
    """Raise unless pyarrow is installed.

    Raises:
        MissingExtraError: it is not.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtraError("Rows from elsewhere", "transfer") from error
    del pyarrow


@contextmanager
def _cause_told(batches: Batches) -> Iterator[None]:
    """Raise what the source raised: an engine that reads the batches has errors of its own."""
    try:
        yield
    except Exception:
        if batches.failure is not None:
            raise batches.failure from None
        raise


def _engine(dialect: str) -> Any:
    path = bulk_path(dialect)
    require_arrow()
    return path
