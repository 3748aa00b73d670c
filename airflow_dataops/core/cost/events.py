"""What queries cost -> what the ledger keeps."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_dataops.core.ledger.events import CostEvent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from airflow_dataops.core.cost.queries import QueryCost


def cost_events(queries: Iterable[QueryCost], at: datetime) -> list[CostEvent]:
    """Return an event for each query; read again, it adds to the one before."""
    return [
        CostEvent(
            platform=query.platform,
            job_id=query.job_id,
            observed_at=at,
            ended_at=query.started + timedelta(seconds=query.seconds),
            usd=query.usd,
            units=query.units,
            bytes=query.bytes,
            seconds=query.seconds,
            model=query.whose.model,
            dag_id=query.whose.dag_id,
            run_id=query.whose.run_id,
            task_id=query.whose.task_id,
            owner=query.whose.owner,
        )
        for query in queries
    ]
