"""What the core needs from the outside world, as Protocols.

Hooks and adapters implement them; tests implement them by hand in `tests/fakes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from airflow_dataops.core.metrics.batch import Batch


class SqlRunner(Protocol):
    """One open session with a warehouse.

    Statements go to one connection in the order they are given. Outside of `transaction()`
    each statement commits by itself.
    """

    @property
    def dialect(self) -> str:
        """The sqlglot name of the engine's SQL: `duckdb`, `postgres`, `snowflake`, `bigquery`."""

    @property
    def placeholder(self) -> str:
        """The mark of a bound value: `?` or `%s`."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement. Return the rows it changed, -1 where the engine does not say."""

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one query and return all of its rows."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit at the end of the block, roll back when it raises. Does not nest."""


class MetricSink(Protocol):
    """Where metrics go. One thread uses it; it may block and raise as it likes.

    A batch is taken whole or not at all: after an exception it is sent again.
    """

    @property
    def limit(self) -> int:
        """The greatest number of series in one batch."""

    def send(self, batch: Batch) -> None:
        """Send what was measured since the last batch."""
