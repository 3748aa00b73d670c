"""What the core needs from the outside world, as Protocols.

Hooks and adapters implement them; tests implement them by hand in `tests/fakes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager


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
