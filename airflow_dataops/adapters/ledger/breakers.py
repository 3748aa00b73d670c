"""The breakers of all workers, in the ledger's database."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from airflow_dataops.adapters.ledger.rows import insert_new
from airflow_dataops.adapters.ledger.tables import breakers
from airflow_dataops.core.breaker import Breaker, Limits, State
from airflow_dataops.core.masking import mask_all
from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from airflow_dataops.adapters.ledger.database import Database

_COLUMNS = [breakers.c[name] for name in Breaker.__struct_fields__]


class Ticket(Struct, frozen=True):
    """A call that went through a breaker."""

    generation: int


def _now() -> datetime:
    return datetime.now(UTC)


class BreakerStore:
    """Reads and changes breakers by name; each change is one transaction.

    Args:
        database: of the ledger, its tables up to date.
        now: the present time, aware.
    """

    def __init__(self, database: Database, now: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._now = now

    def read(self, name: str) -> Breaker:
        """Return a breaker; one that nobody used is closed."""
        with self._database.read() as connection:
            return _read(connection, name) or Breaker()

    def all(self) -> dict[str, Breaker]:
        """Return the breakers that were ever used."""
        with self._database.read() as connection:
            rows = connection.execute(select(breakers.c.name, *_COLUMNS).order_by(breakers.c.name))
            return {row.name: _breaker(row) for row in rows}

    def admit(self, name: str, limits: Limits) -> Ticket | None:
        """Let a call through; None where the breaker is open."""
        # Closed ones are only read: calls of a healthy service take no turns.
        if (found := self.read(name)).state is State.CLOSED:
            return Ticket(generation=found.generation)
        if found.left(limits, self._now()):
            return None
        with self._locked(name) as (connection, breaker):
            after = breaker.admitted(limits, self._now())
            if after is None:
                return None
            _write(connection, name, breaker, after)
            return Ticket(generation=after.generation)

    def succeeded(self, name: str, ticket: Ticket) -> None:
        """Note that a call came back."""
        if (found := self.read(name)).succeeded(ticket.generation, self._now()) == found:
            return
        with self._locked(name) as (connection, breaker):
            after = breaker.succeeded(ticket.generation, self._now())
            _write(connection, name, breaker, after)

    def failed(self, name: str, ticket: Ticket, limits: Limits, error: str) -> Breaker:
        """Note that a call found the service down; return what became of the breaker."""
        with self._locked(name) as (connection, breaker):
            after = breaker.failed(ticket.generation, limits, self._now(), mask_all(error)[:1000])
            _write(connection, name, breaker, after)
            return after

    def reset(self, name: str) -> bool:
        """Close a breaker; tell whether there is one."""
        with self._database.write() as connection:
            found = _read(connection, name, lock=True)
            if found is not None:
                closed = Breaker(generation=found.generation + 1, changed_at=self._now())
                _write(connection, name, found, closed)
            return found is not None

    @contextmanager
    def _locked(self, name: str) -> Iterator[tuple[Connection, Breaker]]:
        with self._database.write() as connection:
            row = {"name": name, "state": State.CLOSED, "generation": 0, "failures": 0}
            insert_new(connection, breakers, row)
            yield connection, _read(connection, name, lock=True) or Breaker()


def _read(connection: Connection, name: str, *, lock: bool = False) -> Breaker | None:
    query = select(*_COLUMNS).where(breakers.c.name == name)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return None if row is None else _breaker(row)


def _breaker(row: Any) -> Breaker:
    return Breaker(
        state=State(row.state),
        generation=row.generation,
        failures=row.failures,
        changed_at=row.changed_at,
        error=row.error,
    )


def _write(connection: Connection, name: str, before: Breaker, after: Breaker) -> None:
    if after != before:
        values = {field: getattr(after, field) for field in Breaker.__struct_fields__}
        connection.execute(update(breakers).where(breakers.c.name == name).values(values))
