"""Where the rows of a load come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql import relations

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner


class Source(Protocol):
    """Rows that can be put into a table of the target's warehouse."""

    def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
        """Make the table `staging` of the rows, and return their number if it is known.

        The table must not exist. Where this raises, it may be partly there.
        """


class Query(Struct, frozen=True):
    """A query in the target's own warehouse; a table is `select * from` it.

    Attributes:
        parameters: values bound to its placeholders.
    """

    sql: str
    parameters: tuple[Any, ...] = ()

    def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
        """See `Source.stage`."""
        statement = relations.create_table_as(staging, self.sql, runner.dialect)
        rows = runner.execute(statement, self.parameters)
        return rows if rows >= 0 else None
