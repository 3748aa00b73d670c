"""Where the rows of a load come from."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql import staging as staging_sql

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner


class Placement(StrEnum):
    """Where a source can put its rows."""

    SESSION = "session"
    """Into a table that only the runner's session sees, where the engine has such."""
    SHARED = "shared"
    """Into a table that other connections see: the rows come over one of their own."""


class Source(Protocol):
    """Rows that can be put into a table of the target's warehouse."""

    @property
    def placement(self) -> Placement:
        """Where the staging table has to be."""

    def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
        """Make the table `staging` of the rows, and return their number if it is known.

        The table must not exist. Where this raises, it may be partly there.
        `core.sql.staging.create_as` writes the statement for a query in the same warehouse.
        """


class Query(Struct, frozen=True):
    """A query in the target's own warehouse; a table is `select * from` it.

    Attributes:
        parameters: values bound to its placeholders.
    """

    sql: str
    parameters: tuple[Any, ...] = ()

    @property
    def placement(self) -> Placement:
        """See `Source.placement`."""
        return Placement.SESSION

    def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
        """See `Source.stage`."""
        statement = staging_sql.create_as(staging, self.sql, runner.dialect)
        rows = runner.execute(statement, self.parameters)
        return rows if rows >= 0 else None
