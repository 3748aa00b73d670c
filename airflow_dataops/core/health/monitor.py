"""Checks the tables of a config: each warehouse in a thread of its own."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from airflow_dataops.core.health.judging import verdict
from airflow_dataops.core.health.tables import check_tables
from airflow_dataops.core.health.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from airflow_dataops.core.health.config import TableHealth
    from airflow_dataops.core.ports import SqlRunner

MOST = 16
"""Connections at once."""


class OpenWarehouse(Protocol):
    """Opens a session on an Airflow connection; on BigQuery's default one for None."""

    def __call__(self, conn_id: str | None) -> AbstractContextManager[SqlRunner]:
        """Open it; it is closed at the end of the block."""


def check_all(
    tables: Sequence[TableHealth],
    open_warehouse: OpenWarehouse,
    *,
    conn_id: str | None = None,
    now: datetime,
    progress: Callable[[int], None] = lambda checked: None,
) -> list[Verdict]:
    """Check tables of any number of warehouses, and return the verdicts in the tables' order.

    Every table of a warehouse that cannot be reached is an ERROR; the others are checked.

    Args:
        conn_id: the connection of tables that name none.
        progress: called from several threads; told how many more checks were made.
    """
    places: dict[str | None, list[int]] = defaultdict(list)
    for number, table in enumerate(tables):
        places[table.conn_id or conn_id].append(number)

    def check(place: str | None) -> list[Verdict]:
        mine = [tables[number] for number in places[place]]
        try:
            with open_warehouse(place) as runner:
                return check_tables(runner, mine, now=now, progress=progress)
        except Exception as error:  # noqa: BLE001 - drivers, hooks, networks: told as it is
            where = f"connection {place}" if place else "BigQuery"
            message = f"{where} cannot be used: {type(error).__name__}: {error}"
            progress(count_checks(mine))
            return [verdict(table, "table", Status.ERROR, message) for table in mine]

    if not places:
        return []
    with ThreadPoolExecutor(min(MOST, len(places))) as pool:
        found = [verdict for part in pool.map(check, places) for verdict in part]
    order = {id_: number for number, id_ in reversed([*enumerate(t.table_id for t in tables)])}
    return sorted(found, key=lambda each: order[each.table])


def count_checks(tables: Sequence[TableHealth]) -> int:
    """Return how many checks are made of tables, if all of them are there."""
    return sum(
        sum(each is not None for each in (table.freshness, table.row_count))
        + table.check_partitions
        + bool(table.expected_schema)
        + table.check_availability
        + (len(table.quality.not_null) + len(table.quality.unique) if table.quality else 0)
        + len(table.checks)
        for table in tables
    )
