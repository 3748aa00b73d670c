"""A session that remembers what ran in it, to show the user."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.ports import JobRunner, SqlRunner

_LONGEST = 20_000
_WAITING = ("savepoint ", "release savepoint ", "rollback to savepoint ", "set local lock_timeout ")
"""How statements begin that only say how long locks are waited for."""
_LOOKED_UP = "-- looked up for it:"


class Failed(NamedTuple):
    """The statement that failed last, and with what."""

    error: BaseException
    sql: str


class RecordingRunner:
    """Runs statements on another runner and keeps their text.

    Bound values are never kept. A statement that repeats the one before it (the batches of a
    seed) is kept once, and a very long one is cut.

    Attributes:
        failed: the statement that failed last, if any did.
    """

    def __init__(self, runner: SqlRunner) -> None:
        self._runner = runner
        self._statements: list[str] = []
        self._looked_up: set[str] = set()
        self.failed: Failed | None = None

    def __getattr__(self, name: str) -> Any:
        """Return what the runner has besides: bulk paths need its connection or its client."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._runner, name)

    @property
    def statements(self) -> tuple[str, ...]:
        """The texts of what ran, in order, with `begin`, `commit` and `rollback`."""
        return tuple(self._statements)

    def script(self) -> str:
        """Return what ran as one text, to be shown rather than run again.

        What an author asked for comes first, as whoever shows it may cut the text; then what was
        looked up in the catalog for it.
        """
        queries = [sql for sql in self._statements if sql in self._looked_up]
        others = [sql for sql in self._statements if sql not in self._looked_up]
        asked = f"{_LOOKED_UP}\n\n{_joined(queries)}" if queries else ""
        return "\n\n".join(filter(None, (_joined(others), asked)))

    @property
    def dialect(self) -> str:
        """The sqlglot name of the engine's SQL."""
        return self._runner.dialect

    @property
    def placeholder(self) -> str:
        """The mark of a bound value."""
        return self._runner.placeholder

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; see `SqlRunner.execute`."""
        self._keep(sql)
        with self._watched(sql):
            return self._runner.execute(sql, parameters)

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one query; see `SqlRunner.fetch`."""
        kept = self._keep(sql)
        if parameters:  # of our own on the catalog; what an author wrote binds none
            self._looked_up.add(kept)
        with self._watched(sql):
            return self._runner.fetch(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction; see `SqlRunner.transaction`."""
        self._keep("begin")
        try:
            with self._runner.transaction():
                yield
        except BaseException:
            self._keep("rollback")
            raise
        self._keep("commit")

    def submit(self, sql: str) -> str:
        """Begin one statement; see `JobRunner.submit`."""
        self._keep(sql)
        with self._watched(sql):
            return self._jobs.submit(sql)

    def ended(self, job: str) -> bool:
        """Tell whether a statement has ended; see `JobRunner.ended`."""
        return self._jobs.ended(job)

    def result(self, job: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement that has ended; see `JobRunner.result`."""
        return self._jobs.result(job)

    def cancel(self, job: str) -> None:
        """Stop a statement; see `JobRunner.cancel`."""
        self._jobs.cancel(job)

    @property
    def _jobs(self) -> JobRunner:
        return cast("JobRunner", self._runner)

    @contextmanager
    def _watched(self, sql: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.failed = Failed(error, sql)
            raise

    def _keep(self, sql: str) -> str:
        """Keep a text and return it as it is kept."""
        if len(sql) > _LONGEST:
            sql = f"{sql[:_LONGEST]}\n-- and {len(sql) - _LONGEST} characters more"
        is_shown = not sql.startswith(_WAITING)
        if is_shown and (not self._statements or self._statements[-1] != sql):
            self._statements.append(sql)
        return sql


def _joined(statements: Sequence[str]) -> str:
    return ";\n\n".join([*statements, ""]).rstrip("\n")
