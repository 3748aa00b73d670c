"""Says so where SLAs exist and nothing watches them: in the scheduler's log, once."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_dataops.adapters.watch.records import MARK
from airflow_dataops.core.sla.declared import TAG
from airflow_dataops.core.sla.pieces import LATELY

if TYPE_CHECKING:
    from airflow_dataops.adapters.ledger.store import LedgerStore

LOG = logging.getLogger("airflow_dataops.sla")
_SAID: set[str] = set()


def warn_of_unwatched(ledger: LedgerStore, now: datetime | None = None) -> bool:
    """Log that nothing has watched SLAs for ten minutes, once; tell whether that is so.

    A scheduler that has just started gives the monitor as long to begin.
    """
    at = now or datetime.now(UTC)
    if _SINCE is not None and at - _SINCE < LATELY:
        return False
    mark = ledger.mark(MARK)
    if mark is not None and at - mark < LATELY:
        _SAID.clear()
        return False
    count = dags_with_slas()
    if count and not _SAID:
        _SAID.add("said")
        since = "never" if mark is None else f"not since {mark:%Y-%m-%d %H:%M} UTC"
        LOG.warning(
            "%d DAGs have SLAs and are watched by nothing (%s): runs that never come, and tasks "
            "that are late, are told to nobody. Add a DAG with sla_monitor_dag(), or run "
            "`sla-tracker --monitor`; `airflow-dataops slas check` tells what is missing.",
            count,
            since,
        )
    return bool(count)


def dags_with_slas() -> int:
    """Return how many active DAGs have SLAs, by Airflow's database."""
    from airflow.models.dag import DagModel, DagTag
    from airflow.settings import get_engine
    from sqlalchemy import func, select

    tags, dags = DagTag.__table__.c, DagModel.__table__.c
    query = select(func.count()).where(
        tags.dag_id == dags.dag_id,
        tags.name == TAG,
        dags.is_stale.is_(False),
        dags.is_paused.is_(False),
    )
    with get_engine().connect() as connection:
        return int(connection.execute(query).scalar_one())


_SINCE: datetime | None = datetime.now(UTC)
