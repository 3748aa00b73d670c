"""Looks at what sensors wait for: tables over connections, files in storages, the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.breaker import Breaker, Limits
from airflow_dataops.core.health.watches import (
    BreakerWatch,
    FilesWatch,
    PublishedWatch,
    Seen,
    Sight,
    look,
)
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from airflow_dataops.core.health.watches import AnyWatch, Watch

    Look = Callable[[Sequence[Any]], Sequence[Sight]]


def looker(conn_id: str | None, watch: AnyWatch) -> tuple[Hashable, Look]:
    """Return what looks at the place of a watch, and the place's key: one look serves all there.

    Raises:
        ConfigError: a table without a connection.
    """
    if isinstance(watch, FilesWatch):
        from airflow_dataops.hooks.file_watching import look_at_files

        return ("files", conn_id), partial(look_at_files, conn_id)
    if isinstance(watch, PublishedWatch):
        return ("ledger",), look_in_ledger
    if isinstance(watch, BreakerWatch):
        return ("breakers",), look_at_breakers
    if conn_id is None:
        raise ConfigError(f"conn_id=None: {watch.table} is in no warehouse.")
    return ("tables", conn_id), partial(look_at_tables, conn_id)


def look_at_tables(conn_id: str, watches: Sequence[Watch]) -> list[Sight]:
    """Look at tables of one connection, in a session of its own."""
    from airflow_dataops.hooks.sql_runner import open_session

    with open_session(conn_id) as session:
        return look(session, watches, datetime.now(UTC))


def look_in_ledger(watches: Sequence[PublishedWatch]) -> list[Sight]:
    """Look whether the ledger knows of writes, with one query."""
    from airflow_dataops.hooks.alerts import open_ledger

    since = min(watch.since for watch in watches)
    written = open_ledger().last_written([watch.table for watch in watches], since)
    return [_published(watch, written.get(watch.table)) for watch in watches]


def look_at_breakers(watches: Sequence[BreakerWatch]) -> list[Sight]:
    """Look at breakers, with one query."""
    from airflow_dataops.adapters.ledger.breakers import BreakerStore
    from airflow_dataops.hooks.alerts import open_ledger

    found, now = BreakerStore(open_ledger().database).all(), datetime.now(UTC)
    return [_let_through(watch, found.get(watch.name, Breaker()), now) for watch in watches]


def _let_through(watch: BreakerWatch, breaker: Breaker, now: datetime) -> Sight:
    left = breaker.left(Limits(reset_after=watch.reset_after), now)
    error = f" The last error: {breaker.error}" if breaker.error else ""
    message = f"The circuit breaker {watch.name!r} is {breaker.state}.{error}"
    return Sight(seen=Seen.WAITING if left else Seen.MET, message=message)


def _published(watch: PublishedWatch, at: datetime | None) -> Sight:
    since = watch.since.isoformat()
    if at is None or at < watch.since:
        return Sight(seen=Seen.WAITING, message=f"{watch.table} was not written since {since}.")
    return Sight(seen=Seen.MET, message=f"{watch.table} was written at {at.isoformat()}.")
