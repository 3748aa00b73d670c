"""How an engine's locks are waited for, as data."""

from __future__ import annotations

from collections.abc import Callable

from airflow_dataops.core.engines.statements import Statement
from airflow_dataops.core.model import Relation, Struct


class Waits(Struct, frozen=True):
    """The statements of an engine whose sessions wait for each other's locks.

    Attributes:
        limit: bounds each wait for a lock, given milliseconds, until the transaction ends.
        take_turn: waits until no other transaction has the turn of a relation; it goes back
            when the transaction ends.
        sign: leaves with the transaction whose it is (owner and run) and which try.
        stop_earlier: ends the sessions that have the turn of a relation and are of an earlier
            try of the same task; one row for each.
        stop_writer: ends the session of the same account that has written a row of a table
            and not committed; it is given the table and the condition for the row.
    """

    limit: Callable[[int], str]
    take_turn: Callable[[Relation], str]
    sign: Callable[[str, int], str]
    stop_earlier: Callable[[Relation, str, int], Statement]
    stop_writer: Callable[[str, Statement], Statement]
