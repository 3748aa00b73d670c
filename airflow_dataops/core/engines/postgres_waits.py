"""Locks on Postgres.

A turn is an advisory lock of the transaction
(https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS): no table is
needed, and the server gives it back however the session ends. Such locks are of one database,
so its name is no part of the key.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.engines.waits import Waits

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation


def _limit(milliseconds: int) -> str:
    return f"set local lock_timeout = {milliseconds:d}"


def _take_turn(relation: Relation) -> str:
    return f"select pg_advisory_xact_lock({_turn(relation):d})"


def _sign(owner: str, try_number: int) -> str:
    return f"select pg_advisory_xact_lock_shared({_owner(owner):d}, {try_number:d})"


def _stop_earlier(relation: Relation, owner: str, try_number: int) -> Statement:
    # pg_locks shows a key of 64 bits as two halves without a sign, with objsubid 1, and a
    # pair of keys as they are, with objsubid 2.
    turn, mine = _turn(relation) % 2**64, _owner(owner) % 2**32
    return Statement(
        sql=(
            "select pg_terminate_backend(turn.pid) from pg_locks as turn join pg_locks as own\n"
            "  on own.pid = turn.pid and own.locktype = 'advisory' and own.granted\n"
            f"  and own.objsubid = 2 and cast(own.classid as bigint) = {MARK}\n"
            f"  and cast(own.objid as bigint) < {MARK} and own.database = turn.database\n"
            "where turn.locktype = 'advisory' and turn.granted and turn.objsubid = 1\n"
            f"  and cast(turn.classid as bigint) = {MARK}\n"
            f"  and cast(turn.objid as bigint) = {MARK} and turn.pid <> pg_backend_pid()\n"
            "  and turn.database = (select oid from pg_database where datname = current_database())"
        ),
        parameters=(mine, try_number, turn >> 32, turn % 2**32),
    )


def _stop_writer(table: str, row: Statement) -> Statement:
    # Whoever updates a row leaves its transaction's id in the version that others still see.
    return Statement(
        sql=(
            "select pg_terminate_backend(l.pid) from pg_locks as l\n"
            "where l.locktype = 'transactionid' and l.granted and l.pid <> pg_backend_pid()\n"
            f"  and l.transactionid in (select xmax from {table} where {row.sql})"
        ),
        parameters=row.parameters,
    )


def _turn(relation: Relation) -> int:
    return _digest(f"{relation.schema or ''}\n{relation.identifier}", 8)


def _owner(owner: str) -> int:
    return _digest(owner, 4)


def _digest(text: str, size: int) -> int:
    digest = hashlib.sha256(f"airflow-dataops\n{text}".encode()).digest()
    return int.from_bytes(digest[:size], signed=True)


POSTGRES = Waits(
    limit=_limit,
    take_turn=_take_turn,
    sign=_sign,
    stop_earlier=_stop_earlier,
    stop_writer=_stop_writer,
)
