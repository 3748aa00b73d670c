"""What would run, without running it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.execution.recording import RecordingRunner
from airflow_dataops.core.execution.staged import MARK as STAGED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_dataops.core.ports import SqlRunner

_END = "-- what follows depends on what these statements return"


class _Unknown(Exception):  # noqa: N818 - not an error: what follows cannot be told
    """The answer of a statement that did not run is asked for."""


def show(work: Callable[[SqlRunner], object], runner: SqlRunner) -> str:
    """Return the statements that `work` would run, as far as they can be told beforehand.

    What the warehouse's catalog holds is looked up; nothing else is run. An incremental build
    ends with the query that is staged: what is done with its rows depends on its columns.

    Raises what `work` raises.
    """
    dry = _DryRunner(runner)
    try:
        work(dry)
    except _Unknown:
        return f"{dry.script()}\n\n{_END}"
    return dry.script()


class _DryRunner(RecordingRunner):
    """Records statements. Of queries only those of our own on the catalog go through."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Record a statement."""
        del parameters
        self._keep(sql)
        return -1

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Look into the catalog, for which values are bound; record any other query."""
        known = get_engine(self.dialect).models
        if sql == f"select {known.current_database}":
            return self._runner.fetch(sql)
        if not parameters:
            self._keep(sql)
            raise _Unknown
        if any(STAGED in str(value) for value in parameters):
            raise _Unknown  # a staging table, which was not made
        return self._runner.fetch(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Record the transaction."""
        self._keep("begin")
        yield
        self._keep("commit")
