"""The `Ledger` port over SQLite or Postgres."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy import func, or_, select, update

from airflow_dataops.adapters.ledger import tables
from airflow_dataops.adapters.ledger.database import Database
from airflow_dataops.adapters.ledger.migrate import ensure_current
from airflow_dataops.adapters.ledger.pruning import prune
from airflow_dataops.adapters.ledger.rows import event_of, insert_new, row_of, upsert
from airflow_dataops.adapters.ledger.tables import TABLE_OF
from airflow_dataops.core.ledger.events import Event
from airflow_dataops.core.masking import mask_all
from airflow_dataops.core.sla.misses import SlaMiss

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

E = TypeVar("E", bound=Event)
_AT_ONCE = 500
"""Names in one query."""


class LedgerStore:
    """See `core.ports.Ledger`. Any number of processes may use one database.

    Args:
        database: an URL, or what was made of one.
        migrate: whether its tables are brought up to date here.

    Raises:
        ConfigError: the database cannot be used, or its tables are not up to date.
    """

    def __init__(self, database: Database | str, *, migrate: bool = True) -> None:
        self.database = Database(database) if isinstance(database, str) else database
        ensure_current(self.database, migrate=migrate)

    def write(self, events: Iterable[Event]) -> None:
        """Keep events, all or none; see `core.ports.Ledger.write`."""
        ordered = sorted(events, key=lambda event: type(event).__name__)
        if not ordered:
            return
        with self.database.write() as connection:
            for kind, group in groupby(ordered, key=type):
                upsert(connection, TABLE_OF[kind], [row_of(event) for event in group])

    def read(
        self,
        kind: type[E],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        **equal: Any,
    ) -> list[E]:
        """Return events, newest first; see `core.ports.Ledger.read`."""
        table = TABLE_OF[kind]
        query = select(table).order_by(table.c.observed_at.desc()).limit(limit)
        if since is not None:
            query = query.where(table.c.observed_at >= since)
        if until is not None:
            query = query.where(table.c.observed_at < until)
        for name, value in equal.items():
            query = query.where(table.c[name] == value)
        with self.database.read() as connection:
            return [event_of(kind, row) for row in connection.execute(query)]

    def miss(self, miss: SlaMiss) -> bool:
        """Keep a miss; tell whether it is new; see `core.ports.Ledger.miss`."""
        with self.database.write() as connection:
            return keep_miss(connection, miss)

    def solve(self, key: str, at: datetime) -> bool:
        """Mark a miss as solved; tell whether it was open; see `core.ports.Ledger.solve`."""
        with self.database.write() as connection:
            return solve_miss(connection, key, at)

    def open_misses(self, **equal: Any) -> list[SlaMiss]:
        """Return the misses that are not solved, oldest first."""
        table = tables.misses
        query = (
            select(table.c.miss).where(table.c.solved_at.is_(None)).order_by(table.c.detected_at)
        )
        for name, value in equal.items():
            query = query.where(table.c[name] == value)
        with self.database.read() as connection:
            return [msgspec.convert(row.miss, SlaMiss) for row in connection.execute(query)]

    def misses(
        self, *, since: datetime | None = None, **equal: Any
    ) -> list[tuple[SlaMiss, datetime | None]]:
        """Return misses and when each was solved, oldest first: those due or open since then."""
        table = tables.misses
        query = select(table.c.miss, table.c.solved_at).order_by(table.c.due)
        if since is not None:
            late = or_(table.c.solved_at.is_(None), table.c.solved_at >= since)
            query = query.where(or_(table.c.due >= since, late))
        for name, value in equal.items():
            query = query.where(table.c[name] == value)
        with self.database.read() as connection:
            rows = connection.execute(query).all()
        return [(msgspec.convert(row.miss, SlaMiss), row.solved_at) for row in rows]

    def prune(self, before: datetime) -> int:
        """Delete what is older; see `core.ports.Ledger.prune`."""
        return prune(self.database, before)

    def last_written(self, relations: Sequence[str], since: datetime) -> dict[str, datetime]:
        """Return when tables were last written, those that were since then.

        Names are compared without regard to case.
        """
        table, names = tables.volumes, {each.lower(): each for each in relations}
        found: dict[str, datetime] = {}
        with self.database.read() as connection:
            for start in range(0, len(names), _AT_ONCE):
                part = list(names)[start : start + _AT_ONCE]
                query = (
                    select(func.lower(table.c.relation), func.max(table.c.observed_at))
                    .where(table.c.observed_at >= since, table.c.measure == "written")
                    .where(func.lower(table.c.relation).in_(part))
                    .group_by(func.lower(table.c.relation))
                )
                found |= {row[0]: row[1] for row in connection.execute(query)}
        return {each: found[each.lower()] for each in relations if each.lower() in found}

    def mark(self, name: str) -> datetime | None:
        """Return how far somebody has come; None where they have not begun."""
        query = select(tables.marks.c.at).where(tables.marks.c.name == name)
        with self.database.read() as connection:
            return connection.execute(query).scalar()

    def move(self, name: str, at: datetime) -> None:
        """Note how far somebody has come."""
        with self.database.write() as connection:
            upsert(connection, tables.marks, [{"name": name, "at": at}])

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def keep_miss(connection: Connection, miss: SlaMiss) -> bool:
    """Insert a miss within a transaction; tell whether it is new."""
    at = miss.subject
    row = {
        "key": miss.key,
        "sla": miss.sla,
        "subject": str(at),
        "kind": str(at.kind),
        "dag_id": at.dag_id,
        "run_id": at.run_id,
        "task_id": at.task_id,
        "map_index": at.map_index,
        "tier": str(miss.tier),
        "owner": miss.owner,
        "warning": miss.warning,
        "due": miss.due,
        "detected_at": miss.detected_at,
        "miss": mask_all(msgspec.to_builtins(miss)),
    }
    return insert_new(connection, tables.misses, row)


def solve_miss(connection: Connection, key: str, at: datetime) -> bool:
    """Mark a miss as solved within a transaction; tell whether it was open."""
    table = tables.misses
    statement = (
        update(table).where(table.c.key == key, table.c.solved_at.is_(None)).values(solved_at=at)
    )
    return connection.execute(statement).rowcount == 1
