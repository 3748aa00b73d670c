"""The table that loads keep beside their targets: who may load.

`dataops_leases` has one row for each target and partition. Its `token` grows with every
taking: the number by which a transaction proves that nobody took the load's place since
(Kleppmann, "How to do distributed locking", 2016: fencing tokens).
"""

from __future__ import annotations

from airflow_dataops.core.engines.base import Engine
from airflow_dataops.core.engines.identifiers import derived, quote, quote_all
from airflow_dataops.core.engines.loads import Locks
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.model import Relation, Struct

LEASES = "dataops_leases"

_LEASES = {
    "target": "text",
    "partition": "text",
    "token": "integer",
    "owner": "text",
    "run_id": "text",
    "try_number": "integer",
    "holder": "text",
    "expires_epoch": "integer",
    "fences": "integer",
}


class Leased(Struct, frozen=True):
    """One row of `dataops_leases`: what is loaded, and how to name the table."""

    table: Relation
    target: str
    partition: str
    engine: Engine

    @property
    def sql(self) -> str:
        """The table's name."""
        return render(self.table, self.engine.name)

    @property
    def where(self) -> str:
        """The condition for the row; its values are `values`."""
        return f"{self.quote('target')} = {MARK} and {self.quote('partition')} = {MARK}"

    @property
    def values(self) -> tuple[str, str]:
        """The values of the condition."""
        return self.target, self.partition

    def quote(self, name: str) -> str:
        """Return a column's name."""
        return quote(name, self.engine.name)


def control_table(name: str, target: Relation, place: Relation, engine: Engine) -> Relation:
    """Return the name of a control table: one in each schema, or one for each target.

    Args:
        place: names the schema that it is in.
    """
    if engine.loads.locks is Locks.TABLES:
        name = derived(f"{name}__{target.identifier}", "", engine.name)
    return Relation(identifier=name, schema=place.schema, database=place.database)


def create_leases(table: Relation, engine: Engine) -> Statement:
    """Return the statement that makes the table of leases unless it exists."""
    return create_control_table(table, _LEASES, ("target", "partition"), engine)


def add_lease(lease: Leased) -> Statement:
    """Return the statement that adds the row of a lease, free, unless it is there."""
    names = tuple(_LEASES)
    values = (*lease.values, 0, "", "", 0, "", 0, 0)
    return Statement(
        sql=(
            f"insert into {lease.sql} ({quote_all(names, lease.engine.name)})\n"
            f"select {', '.join(_bound(kind, lease.engine) for kind in _LEASES.values())}\n"
            f"from (select 1 as one) as one\n"
            f"where not exists (select 1 from {lease.sql} where {lease.where})"
            f"{lease.engine.loads.insert_once}"
        ),
        parameters=(*values, *lease.values),
    )


def take_lease(
    lease: Leased, *, owner: str, run_id: str, try_number: int, holder: str, seconds: int
) -> Statement:
    """Return the statement that takes a lease if it is free, expired, or of an earlier try.

    Args:
        holder: what this process alone is called.
        seconds: how long it lasts.
    """
    q, now = lease.quote, f"cast({lease.engine.loads.epoch} as {lease.engine.loads.types.integer})"
    return Statement(
        sql=(
            f"update {lease.sql} set {q('token')} = {q('token')} + 1, {q('owner')} = {MARK},"
            f" {q('run_id')} = {MARK}, {q('try_number')} = {MARK}, {q('holder')} = {MARK},"
            f" {q('expires_epoch')} = {now} + {MARK}\n"
            f"where {lease.where}\n"
            f"  and not ({q('owner')} = {MARK} and {q('run_id')} = {MARK}"
            f" and {q('try_number')} > {MARK})\n"
            f"  and ({q('expires_epoch')} <= {now}"
            f" or ({q('owner')} = {MARK} and {q('run_id')} = {MARK}))"
        ),
        parameters=(
            *(owner, run_id, try_number, holder, seconds),
            *lease.values,
            *(owner, run_id, try_number),
            *(owner, run_id),
        ),
    )


def read_lease(lease: Leased) -> Statement:
    """Return the query for a lease: token, owner, run_id, try_number, holder, seconds left."""
    q = lease.quote
    now = f"cast({lease.engine.loads.epoch} as {lease.engine.loads.types.integer})"
    names = ("token", "owner", "run_id", "try_number", "holder")
    return Statement(
        sql=(
            f"select {', '.join(map(q, names))}, {q('expires_epoch')} - {now}\n"
            f"from {lease.sql} where {lease.where}"
        ),
        parameters=lease.values,
    )


def read_others(lease: Leased) -> Statement:
    """Return the query for the leases of the same target's other partitions that are held.

    Each with partition, token, owner, run_id, try_number, holder, seconds left.
    """
    q = lease.quote
    now = f"cast({lease.engine.loads.epoch} as {lease.engine.loads.types.integer})"
    names = ("partition", "token", "owner", "run_id", "try_number", "holder")
    return Statement(
        sql=(
            f"select {', '.join(map(q, names))}, {q('expires_epoch')} - {now}\n"
            f"from {lease.sql} where {q('target')} = {MARK} and {q('partition')} <> {MARK}"
            f" and {q('expires_epoch')} > {now}"
        ),
        parameters=lease.values,
    )


def renew_lease(lease: Leased, token: int, seconds: int) -> Statement:
    """Return the statement that makes a lease last from now on, if it is still ours."""
    q, now = lease.quote, f"cast({lease.engine.loads.epoch} as {lease.engine.loads.types.integer})"
    return Statement(
        sql=(
            f"update {lease.sql} set {q('expires_epoch')} = {now} + {MARK}\n"
            f"where {lease.where} and {q('token')} = {MARK}"
        ),
        parameters=(seconds, *lease.values, token),
    )


def fence(lease: Leased, token: int) -> Statement:
    """Return the statement that gives the lease back if it is still ours.

    It comes first in the publishing transaction: it changes no row when another attempt has
    taken the load's place, and keeps others from taking it until the transaction ends.
    (`fences` grows because DuckDB sees no conflict in an update that changes nothing.)
    """
    q = lease.quote
    return Statement(
        sql=(
            f"update {lease.sql} set {q('expires_epoch')} = 0, {q('fences')} = {q('fences')} + 1\n"
            f"where {lease.where} and {q('token')} = {MARK}"
        ),
        parameters=(*lease.values, token),
    )


def create_control_table(
    table: Relation, columns: dict[str, str], keys: tuple[str, ...], engine: Engine
) -> Statement:
    """Return the statement that makes a control table unless it exists.

    Args:
        columns: `text` or `integer` by name; none of them takes NULL.
    """
    types = {"text": engine.loads.types.text, "integer": engine.loads.types.integer}
    listed = ",\n  ".join(
        f"{quote(name, engine.name)} {types[kind]} not null" for name, kind in columns.items()
    )
    key = engine.loads.primary_key.format(quote_all(keys, engine.name))
    return Statement(
        sql=(f"create table if not exists {render(table, engine.name)} (\n  {listed},\n  {key}\n)")
    )


def any_of(table: Relation, target: str, engine: Engine) -> Statement:
    """Return the query for a row that a control table has of a target."""
    name = quote("target", engine.name)
    sql = f"select 1 from {render(table, engine.name)} where {name} = {MARK} limit 1"
    return Statement(sql=sql, parameters=(target,))


def _bound(kind: str, engine: Engine) -> str:
    type_ = engine.loads.types.integer if kind == "integer" else engine.loads.types.text
    return f"cast({MARK} as {type_})"
