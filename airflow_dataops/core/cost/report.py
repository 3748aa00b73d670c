"""What was spent, on what, and what to do about the most expensive queries."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_dataops.core.cost.advice import advice
from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_dataops.core.cost.queries import QueryCost

_TOP = 10
_SHOWN = 300


class Share(Struct, frozen=True, omit_defaults=False):
    """What was spent on one model, task, DAG, owner or user."""

    name: str
    cost_usd: float
    queries: int
    bytes: int


class Expensive(Struct, frozen=True, omit_defaults=False):
    """A query that cost much, and what to do about it; `query` is its beginning."""

    job_id: str
    platform: str
    cost_usd: float
    bytes: int
    seconds: float
    started: datetime
    user: str
    model: str | None
    dag_id: str | None
    task_id: str | None
    owner: str | None
    query: str
    advice: tuple[str, ...]


class CostReport(Struct, frozen=True, omit_defaults=False):
    """What `--cost-report` prints.

    Attributes:
        unattributed_usd: of queries that nothing tells whose they are, and of idle warehouses.
        unattributed_share: its part of the total, 0 to 1.
        by_task: names are `dag.task`.
    """

    timestamp: datetime
    hours: float
    total_cost_usd: float
    total_queries: int
    total_bytes: int
    unattributed_usd: float
    unattributed_share: float
    idle_usd: float
    by_model: tuple[Share, ...]
    by_task: tuple[Share, ...]
    by_dag: tuple[Share, ...]
    by_owner: tuple[Share, ...]
    by_user: tuple[Share, ...]
    most_expensive: tuple[Expensive, ...]


def cost_report(
    queries: Sequence[QueryCost], idle_usd: float, *, hours: float, at: datetime
) -> CostReport:
    """Sum up queries; shares and the most expensive come with the greatest first."""
    total = sum(query.usd for query in queries) + idle_usd
    unknown = sum(query.usd for query in queries if not query.whose.known) + idle_usd
    return CostReport(
        timestamp=at,
        hours=hours,
        total_cost_usd=round(total, 6),
        total_queries=len(queries),
        total_bytes=sum(query.bytes for query in queries),
        unattributed_usd=round(unknown, 6),
        unattributed_share=round(unknown / total, 4) if total else 0.0,
        idle_usd=round(idle_usd, 6),
        by_model=_shares(queries, lambda query: query.whose.model),
        by_task=_shares(queries, _task),
        by_dag=_shares(queries, lambda query: query.whose.dag_id),
        by_owner=_shares(queries, lambda query: query.whose.owner),
        by_user=_shares(queries, lambda query: query.user or None),
        most_expensive=tuple(map(_expensive, sorted(queries, key=lambda query: -query.usd)[:_TOP])),
    )


def _task(query: QueryCost) -> str | None:
    if query.whose.task_id is None:
        return None
    return ".".join(filter(None, (query.whose.dag_id, query.whose.task_id)))


def _shares(
    queries: Sequence[QueryCost], name: Callable[[QueryCost], str | None]
) -> tuple[Share, ...]:
    groups: dict[str, list[QueryCost]] = defaultdict(list)
    for query in queries:
        if (group := name(query)) is not None:
            groups[group].append(query)
    shares = [
        Share(
            name=group,
            cost_usd=round(sum(query.usd for query in found), 6),
            queries=len(found),
            bytes=sum(query.bytes for query in found),
        )
        for group, found in groups.items()
    ]
    return tuple(sorted(shares, key=lambda share: (-share.cost_usd, share.name)))


def _expensive(query: QueryCost) -> Expensive:
    return Expensive(
        job_id=query.job_id,
        platform=query.platform,
        cost_usd=round(query.usd, 6),
        bytes=query.bytes,
        seconds=round(query.seconds, 3),
        started=query.started,
        user=query.user,
        model=query.whose.model,
        dag_id=query.whose.dag_id,
        task_id=query.whose.task_id,
        owner=query.whose.owner,
        query=" ".join(query.query.split())[:_SHOWN],
        advice=advice(query),
    )
