"""Where the rows of a load come from."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from airflow_dataops.core.engines.statements import text
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql import staging as staging_sql
from airflow_dataops.core.sql.loads import limited
from airflow_dataops.core.sql.queries import bare_query
from airflow_dataops.core.sql.watermarks import Since, since_condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.tables import Table


_NAMES_A_TABLE = re.compile(r"\b(?:from|join)\s+[^\s(]", re.IGNORECASE)


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

    def since(self, since: Since) -> Source:
        """Return a source of the rows that are past a watermark.

        `core.sql.watermarks.since_condition` writes the condition. A source that cannot tell
        which rows those are returns itself: rows that were read before are not added again.
        """

    def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
        """Make the table `staging` of the rows, and return their number if it is known.

        The table must not exist. Where this raises, it may be partly there.
        `core.sql.staging.create_as` writes the statement for a query in the same warehouse.
        """

    def stage_columns(self, runner: SqlRunner, staging: Relation) -> None:
        """Make the table `staging` with the columns that `stage` would give it, and no rows."""


@runtime_checkable
class Measured(Protocol):
    """A source that knows how large its rows are.

    Attributes:
        staged_bytes: of the rows that were staged last; None before.
    """

    staged_bytes: int | None


@runtime_checkable
class Named(Protocol):
    """A source that tells itself apart from others."""

    @property
    def origin(self) -> str:
        """What is read: a query, a table, files. The same in every run that reads the same."""


class Staged(Struct, frozen=True):
    """What a source has staged.

    Attributes:
        rows: their number, if it is known.
        alike: whether the staging table was made like the target.
    """

    rows: int | None
    alike: bool = False


@runtime_checkable
class StreamedSource(Source, Protocol):
    """A source that tells its columns before its rows."""

    def stage_like(self, runner: SqlRunner, staging: Relation, like: Table) -> Staged:
        """Make the table `staging` like another one, if the rows have just its columns.

        `core.sql.replaces.create_like` writes the statement. In all other cases this does what
        `stage` does.
        """


@runtime_checkable
class Log(Source, Protocol):
    """A source that is read from positions, which the target keeps with its rows.

    A load asks for them, reads from there, and commits those that were reached in the
    transaction that publishes the rows: a crash neither loses nor doubles any.
    """

    @property
    def log(self) -> str:
        """What the positions are kept under: the same for the same log in all loads."""

    def resume(self, positions: Mapping[str, int]) -> Log:
        """Return a source that begins there.

        A negative position is the beginning of its partition. One without a position begins
        as the source says, if none has a position; otherwise it is new since, and begins at its
        beginning.
        """

    def reached(self) -> Mapping[str, int]:
        """Return the positions after the last row that was staged."""

    def acknowledge(self, positions: Mapping[str, int]) -> None:
        """Tell the log how far it was read: positions that are in the target with their rows."""


class Query(Struct, frozen=True):
    """A query in the target's own warehouse; a table is `select * from` it.

    Attributes:
        parameters: values bound to its placeholders.
        past: the watermark past which rows are read.
    """

    sql: str
    parameters: tuple[Any, ...] = ()
    past: Since | None = None

    @property
    def placement(self) -> Placement:
        """See `Source.placement`."""
        return Placement.SESSION

    @property
    def origin(self) -> str:
        """See `Named.origin`.

        Rows that a program writes out as a query differ each time; of these it tells nothing.
        """
        return f"{self.sql} {self.parameters}" if _NAMES_A_TABLE.search(self.sql) else ""

    def since(self, since: Since) -> Query:
        """See `Source.since`."""
        return Query(sql=self.sql, parameters=self.parameters, past=since)

    def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
        """See `Source.stage`."""
        sql, parameters = bare_query(self.sql, runner.dialect), self.parameters
        if self.past is not None:
            condition = since_condition(self.past, runner.dialect)
            if condition.parameters and not parameters and runner.placeholder == "%s":
                sql = sql.replace("%", "%%")
            sql = limited(sql, text(condition, runner.placeholder))
            parameters += condition.parameters
        statement = staging_sql.create_as(staging, sql, runner.dialect)
        rows = runner.execute(statement, parameters)
        return rows if rows >= 0 else None

    def stage_columns(self, runner: SqlRunner, staging: Relation) -> None:
        """See `Source.stage_columns`."""
        sql = limited(bare_query(self.sql, runner.dialect), "1 = 0")
        Query(sql=sql, parameters=self.parameters).stage(runner, staging)
