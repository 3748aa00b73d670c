"""What the sources have in common whose rows come as Arrow record batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from airflow_dataops.core.loads.sources import Placement, Staged
from airflow_dataops.hooks.bulk import engines

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.tables import Table
    from airflow_dataops.hooks.bulk.batches import Batches


class ArrowSource(ABC):
    """A source whose rows the target's engine takes by its bulk path."""

    staged_bytes: int | None = None
    """See `Measured.staged_bytes`."""

    @property
    def placement(self) -> Placement:
        """See `Source.placement`: the target's own session takes the rows."""
        return Placement.SESSION

    def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
        """See `Source.stage`.

        Raises:
            ConfigError: a setting is wrong, or there is no bulk path to such a target.
            MissingExtraError: the extra `transfer` is not installed.
            RetryableError: the source could not be reached, or its connection ended.
            RunError: the source's rows cannot be read or carried; the message says why.
        """
        engines.require_arrow()
        with self._rows() as batches:
            rows = engines.fill(runner, staging, batches)
            self.staged_bytes = batches.bytes
            return rows

    def stage_like(self, runner: SqlRunner, staging: Relation, like: Table) -> Staged:
        """See `StreamedSource.stage_like`; raises what `stage` does."""
        engines.require_arrow()
        with self._rows() as batches:
            alike = engines.fill_like(runner, staging, batches, like)
            self.staged_bytes = batches.bytes
            return Staged(rows=batches.rows, alike=alike)

    def stage_columns(self, runner: SqlRunner, staging: Relation) -> None:
        """See `Source.stage_columns`; raises what `stage` does."""
        engines.require_arrow()
        with self._no_rows() as batches:
            engines.create_empty(runner, staging, batches)

    @abstractmethod
    def _rows(self) -> AbstractContextManager[Batches]:
        """Open the source."""

    def _no_rows(self) -> AbstractContextManager[Batches]:
        """Open the source for its columns."""
        return self._rows()
