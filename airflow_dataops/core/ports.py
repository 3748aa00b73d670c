"""What the core needs from the outside world, as Protocols.

Hooks and adapters implement them; tests implement them by hand in `tests/fakes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from airflow_dataops.core.ledger.events import Event
    from airflow_dataops.core.metrics.batch import Batch
    from airflow_dataops.core.model import Manifest
    from airflow_dataops.core.sla.misses import SlaMiss

E = TypeVar("E", bound="Event")


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """Return the present time, aware."""


class Ledger(Protocol):
    """What ran, what it cost, what was late. Many processes write to one."""

    def write(self, events: Iterable[Event]) -> None:
        """Keep events, all or none of them.

        Of two with one key the one with the later `observed_at` wins, in the fields where it
        is not None. Writing the same again changes nothing.
        """

    def read(
        self,
        kind: type[E],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        **equal: Any,
    ) -> list[E]:
        """Return events observed in `[since, until)`, newest first, whose fields equal these."""

    def miss(self, miss: SlaMiss) -> bool:
        """Keep a miss. Return False where one with its key is kept already."""

    def solve(self, key: str, at: datetime) -> bool:
        """Mark a miss as solved. Return False where it is unknown or was solved before."""

    def open_misses(self, **equal: Any) -> list[SlaMiss]:
        """Return the misses that are not solved, oldest first, whose columns equal these."""

    def prune(self, before: datetime) -> int:
        """Delete events observed before, and misses and alerts of then that are over.

        Return how many rows went.
        """


class MissSink(Protocol):
    """Where missed SLAs are handed in: kept in the ledger, and told of as alerts."""

    def miss(self, miss: SlaMiss) -> bool:
        """Keep a miss and raise its alert; return False where it is known."""

    def solve(self, key: str) -> bool:
        """Say that a miss is solved; return False where it was not open."""


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


class JobRunner(SqlRunner, Protocol):
    """A session whose warehouse runs statements while nobody waits for them."""

    def submit(self, sql: str) -> str:
        """Begin one statement; return its id, which other sessions of the user know as well."""

    def ended(self, job: str) -> bool:
        """Tell whether a statement has ended, well or not."""

    def result(self, job: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement that has ended; raise what it raised."""

    def cancel(self, job: str) -> None:
        """Stop a statement; one that has ended stays as it is."""


class MetricSink(Protocol):
    """Where metrics go. One thread uses it; it may block and raise as it likes.

    A batch is taken whole or not at all: after an exception it is sent again.
    """

    @property
    def limit(self) -> int:
        """The greatest number of series in one batch."""

    def send(self, batch: Batch) -> None:
        """Send what was measured since the last batch."""


class Reader(Protocol):
    """Reads manifests of one kind that hold a project: nodes, which are planned.

    Attributes:
        kind: its name, also that of its entry point.
    """

    kind: str

    def read(self, data: bytes, *, source: str) -> Manifest:
        """Return the project and its code.

        Args:
            data: content of a file.
            source: the file's name, for messages.

        Raises:
            ManifestError: with everything that must be mended.
        """
