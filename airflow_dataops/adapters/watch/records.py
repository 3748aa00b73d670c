"""What the watchers know of runs, kept in the ledger: any number of them share it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import and_, exists, select, tuple_

from airflow_dataops.adapters.ledger.rows import insert_new, upsert
from airflow_dataops.adapters.ledger.tables import marks, misses, watched
from airflow_dataops.core.sla.watching import Watched, seen_anew

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from airflow_dataops.adapters.ledger.database import Database
    from airflow_dataops.adapters.watch.answers import Run

MARK = "sla_watch"
"""How far the watcher of runs and assets has come."""
BEGAN = "sla_watch_began"
"""When it began, where that is known."""
_MOST = 300


class Records:
    """The tables `dataops_watched` and `dataops_marks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self) -> list[Watched]:
        """Return the runs in which something is left to look at."""
        with self._database.read() as connection:
            rows = connection.execute(select(watched.c.watched).where(watched.c.open)).scalars()
            return [msgspec.convert(row, Watched) for row in rows]

    def unsolved(self) -> list[Watched]:
        """Return the runs with misses that are not solved."""
        ours = and_(watched.c.dag_id == misses.c.dag_id, watched.c.run_id == misses.c.run_id)
        still = exists().where(ours, misses.c.solved_at.is_(None))
        with self._database.read() as connection:
            rows = connection.execute(select(watched.c.watched).where(still)).scalars()
            return [msgspec.convert(row, Watched) for row in rows]

    def of_dag(self, dag_id: str) -> list[Watched]:
        """Return all runs of a DAG that were looked at."""
        query = select(watched.c.watched).where(watched.c.dag_id == dag_id)
        with self._database.read() as connection:
            return [msgspec.convert(row, Watched) for row in connection.execute(query).scalars()]

    def register(self, runs: Iterable[Run], now: datetime) -> list[Watched]:
        """Join what is known of runs with how they are now, and keep it.

        All watchers that see a run cleared give it one and the same number.
        """
        seen = {run.key: run for run in runs}
        found: list[Watched] = []
        if not seen:
            return found
        with self._database.write() as connection:
            before = _known(connection, list(seen))
            for key, run in seen.items():
                found.append(seen_anew(before.get(key), run.facts(), run.queued_at))
            _keep(connection, found, now)
        return found

    def keep(self, found: Sequence[Watched], now: datetime, mark: datetime | None = None) -> None:
        """Keep runs as they are now known, and how far the watcher has come."""
        with self._database.write() as connection:
            _keep(connection, _not_outdated(connection, found), now)
            if mark is not None:
                upsert(connection, marks, [{"name": MARK, "at": mark}])

    def mark(self, first: datetime, name: str = MARK) -> datetime:
        """Return how far the watcher has come; `first` where it has never been."""
        with self._database.write() as connection:
            if insert_new(connection, marks, {"name": name, "at": first}) and name == MARK:
                insert_new(connection, marks, {"name": BEGAN, "at": first})
            query = select(marks.c.at).where(marks.c.name == name)
            at: datetime = connection.execute(query).scalar_one()
            return at

    def move(self, name: str, at: datetime) -> None:
        """Note that it has come so far."""
        with self._database.write() as connection:
            upsert(connection, marks, [{"name": name, "at": at}])


def _known(
    connection: Connection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Watched]:
    found = dict[tuple[str, str], Watched]()
    for start in range(0, len(keys), _MOST):
        some = tuple_(watched.c.dag_id, watched.c.run_id).in_(keys[start : start + _MOST])
        query = select(watched.c.watched).where(some)
        if connection.dialect.name == "postgresql":
            query = query.with_for_update()
        for row in connection.execute(query).scalars():
            each = msgspec.convert(row, Watched)
            found[each.key] = each
    return found


def _not_outdated(connection: Connection, found: Sequence[Watched]) -> list[Watched]:
    """Leave out the runs that another watcher has meanwhile seen cleared."""
    known = _known(connection, [each.key for each in found])
    return [
        each
        for each in found
        if (now := known.get(each.key)) is None or now.run.clear_number <= each.run.clear_number
    ]


def _keep(connection: Connection, found: Sequence[Watched], now: datetime) -> None:
    if not found:
        return
    rows = [
        {
            "dag_id": each.run.dag_id,
            "run_id": each.run.run_id,
            "observed_at": now,
            "open": not each.settled,
            "watched": msgspec.to_builtins(each),
        }
        for each in found
    ]
    upsert(connection, watched, rows)
