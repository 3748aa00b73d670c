"""Says so where SLAs exist and nothing watches them: in the scheduler's log, once."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_dataops.adapters.watch.records import MARK
from airflow_dataops.core.sla.declared import TAG
from airflow_dataops.core.sla.pieces import LATELY

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.adapters.ledger.store import LedgerStore

LOG = logging.getLogger("airflow_dataops.sla")


def dags_with_slas() -> int:
    """Return how many DAGs that are on have SLAs, by Airflow's database."""
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


class UnwatchedWarning:
    """Warns once each time that the watch over SLAs ends, or has never begun.

    Args:
        began: when this process began; the monitor has some minutes to begin, too.
        count: returns how many DAGs have SLAs.
    """

    def __init__(
        self, began: datetime | None = None, count: Callable[[], int] = dags_with_slas
    ) -> None:
        self._began = began or datetime.now(UTC)
        self._count = count
        self._said = False

    def check(self, ledger: LedgerStore, now: datetime | None = None) -> bool:
        """Tell whether SLAs exist and nothing has watched them for ten minutes."""
        at = now or datetime.now(UTC)
        if at - self._began < LATELY:
            return False
        mark = ledger.mark(MARK)
        if mark is not None and at - mark < LATELY:
            self._said = False
            return False
        count = self._count()
        if count and not self._said:
            self._said = True
            since = "never" if mark is None else f"not since {mark:%Y-%m-%d %H:%M} UTC"
            LOG.warning(
                "%d DAGs have SLAs that nothing watches (%s): runs that never come and tasks that "
                "are late are told to nobody. Add a DAG with sla_monitor_dag(), or run "
                "`sla-tracker --monitor`; `airflow-dataops slas check` tells what is missing.",
                count,
                since,
            )
        return bool(count)


warn_of_unwatched = UnwatchedWarning()
"""That of this process."""
