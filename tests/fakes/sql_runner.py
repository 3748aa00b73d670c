"""A `SqlRunner` without an engine: it answers from a list and remembers what it was told."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class FakeSqlRunner:
    """Every query returns `rows`, every statement changes `changed` rows.

    Attributes:
        told: the statements with their parameters, and `BEGIN`, `COMMIT`, `ROLLBACK`.
    """

    placeholder = "?"

    def __init__(
        self,
        rows: list[tuple[Any, ...]] | None = None,
        *,
        changed: int = -1,
        dialect: str = "duckdb",
    ) -> None:
        self.dialect = dialect
        self.told: list[tuple[str, tuple[Any, ...]]] = []
        self._rows = rows or []
        self._changed = changed

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        self.told.append((sql, tuple(parameters)))
        return self._changed

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.told.append((sql, tuple(parameters)))
        return self._rows

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.told.append(("BEGIN", ()))
        try:
            yield
        except BaseException:
            self.told.append(("ROLLBACK", ()))
            raise
        self.told.append(("COMMIT", ()))
