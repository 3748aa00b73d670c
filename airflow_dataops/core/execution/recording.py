"""A session that remembers what ran in it, to show the user."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.ports import JobRunner, SqlRunner

_LONGEST = 20_000


class RecordingRunner:
    """Runs statements on another runner and keeps their text.

    Bound values are never kept. A statement that repeats the one before it (the batches of a
    seed) is kept once, and a very long one is cut.
    """

    def __init__(self, runner: SqlRunner) -> None:
        self._runner = runner
        self._statements: list[str] = []

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
        """Return what ran as one text, to be shown rather than run again."""
        return ";\n\n".join([*self._statements, ""]).rstrip("\n")

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
        return self._runner.execute(sql, parameters)

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one query; see `SqlRunner.fetch`."""
        self._keep(sql)
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

    def _keep(self, sql: str) -> None:
        if len(sql) > _LONGEST:
            sql = f"{sql[:_LONGEST]}\n-- and {len(sql) - _LONGEST} characters more"
        if not self._statements or self._statements[-1] != sql:
            self._statements.append(sql)
