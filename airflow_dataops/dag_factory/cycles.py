"""DAGs of several projects that wait for each other, so that none of them would ever start."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.graph import ways_round
from airflow_dataops.core.plan.structs import Start, StartWhen
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_dataops.adapters.plan_store import StoredPlan
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.plan import Plan

Makers = dict[str, dict[str, str]]
"""By DAG that waits: the tables that it waits for, each with the DAG that makes it, if known."""


def cycles_between(plans: Mapping[str, StoredPlan]) -> list[ConfigError]:
    """Return an error for each cycle of DAGs that wait for each other's tables.

    Args:
        plans: by id of the DAG.
    """
    waiting = {id_: plan for id_, plan in plans.items() if _waits(plan.head)}
    if len(waiting) < 2:
        return []
    maker = {str(made): id_ for id_, plan in waiting.items() for made in _made(plan)}
    makers = {
        id_: {str(each.relation): maker.get(str(each.relation), "") for each in plan.head.inputs}
        for id_, plan in waiting.items()
    }
    stuck = _stuck(waiting, makers)
    parents = {
        id_: sorted(stuck.intersection(makers[id_].values()) - {id_}) for id_ in sorted(stuck)
    }
    return [_error(way, makers) for way in ways_round(parents)]


def _waits(plan: Plan) -> bool:
    return bool(plan.inputs) and plan.start is not Start.TIME


def _made(plan: StoredPlan) -> Iterator[Relation]:
    for task in plan.tasks().values():
        made = (task.relation, *(part.relation for part in task.parts))
        yield from (relation for relation in made if relation is not None)


def _stuck(plans: Mapping[str, StoredPlan], makers: Makers) -> set[str]:
    """Return the DAGs that wait for a cycle, or are in one: take away who can start, and again."""
    stuck = set(plans)
    free: set[str] | None = None
    while free is None or free:
        free = set()
        for id_ in stuck:
            open_ = [made in stuck and made != id_ for made in makers[id_].values()]
            is_any = plans[id_].head.start_when is StartWhen.ANY
            if not (all(open_) if is_any else any(open_)):
                free.add(id_)
        stuck -= free
    return stuck


def _error(way: list[str], makers: Makers) -> ConfigError:
    steps = []
    for reader, read in pairwise(way):
        table = min(table for table, made in makers[reader].items() if made == read)
        steps.append(f"{reader} waits for {table} of {read}")
    return ConfigError(
        f"the DAGs {', '.join(sorted(set(way)))} wait for each other in a cycle, and none of them "
        f"would start: {'; '.join(steps)}. Split one of the projects so that what the other reads "
        "is a DAG of its own (split_by, selectors), or start one of them without waiting "
        "(start_on=() or schedule=...)"
    )
