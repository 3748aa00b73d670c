"""One load under way: what the verbs are given, and what they give back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from airflow_dataops.core.engines.statements import Effect, Statement
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql import staging
from airflow_dataops.core.sql.tables import Table, read_table
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from airflow_dataops.core.engines.base import Engine
    from airflow_dataops.core.loads.bystanders import Bystander
    from airflow_dataops.core.loads.specs import Load
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner


class Publication(Struct, frozen=True):
    """What is to be done in the one transaction, after the fence.

    Attributes:
        staged: rows of the source.
        before: statements that cannot be part of a transaction on this engine; each does
            no harm if the load ends right after it.
        partitions: what is written, for people.
        watermark: up to where the source was read, for people.
        counts: rows of effects that the statements' own numbers do not tell.
    """

    staged: int
    statements: tuple[Statement, ...]
    before: tuple[Statement, ...] = ()
    partitions: tuple[str, ...] = ()
    watermark: str | None = None
    counts: dict[Effect, int] = {}


@dataclass(frozen=True)
class Job:
    """One load whose lease is held.

    Attributes:
        target: the table as it is now.
        made: the staging tables so far; they go when the load ends.
        bystanders: what else happens when rows of the target are written.
        sizes: bytes of what was staged from the source, where they are known.
    """

    load: Load
    runner: SqlRunner
    engine: Engine
    target: Table
    bystanders: tuple[Bystander, ...] = ()
    made: list[Relation] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    @property
    def dialect(self) -> str:
        """The sqlglot name of the engine's SQL."""
        return self.engine.name

    def new_staging(self, *, session: bool = True) -> Relation:
        """Return the name of a staging table that nothing else has."""
        table = new_staging(self.load, self.engine, session=session)
        self.made.append(table)
        return table

    def stage_query(self, query: str) -> Table:
        """Keep a query's rows in a staging table of their own."""
        table = self.new_staging()
        self.runner.execute(staging.create_as(table, query, self.dialect))
        return self.read(table)

    def read(self, relation: Relation) -> Table:
        """Look a staging table up.

        Raises:
            RunError: the source has not made it.
        """
        found = read_table(self.runner, relation)
        if found is None:
            raise RunError(
                f"{self.load.target}: the source made no table {relation}; a source's `stage` "
                "must make the table it is given, also when it has no rows."
            )
        return found


def new_staging(load: Load, engine: Engine, *, session: bool) -> Relation:
    """Return the name of a staging table that nothing else has."""
    prefix = staging.staging_prefix(load.target, load.partition, engine)
    name = f"{prefix}{uuid4().hex[:8]}"
    return staging.staging_table(load.target, name, engine, session=session)
