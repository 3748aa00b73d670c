"""What a project's metadata asks for in time -> SLAs of the planned tasks and their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from airflow_dataops.core.assets import table_path
from airflow_dataops.core.model import NodeKind
from airflow_dataops.core.plan.structs import TaskKind
from airflow_dataops.core.sla.declared import slas_to_json
from airflow_dataops.core.sla.misses import SubjectKind, Tier
from airflow_dataops.core.sla.names import default_name
from airflow_dataops.core.sla.policies import AfterRunStart, MaxAge, Sla
from airflow_dataops.core.sla.spec import About, Defaults, SlaSpec, sla_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_dataops.core.model import Node
    from airflow_dataops.core.plan.structs import PlannedTask

_DOING = {TaskKind.BUILD, TaskKind.FRESHNESS}


def slas_of_plan(
    tasks: Mapping[str, PlannedTask], nodes: Iterable[Node], adapter: str | None = None
) -> tuple[dict[str, Any], ...]:
    """Return the SLAs of a plan, as `slas_to_json` writes them, without a DAG's id.

    A node's SLA is that of its task: the one that builds it, alone or with others, or that
    checks a source's freshness. An exposure's is that of the tasks it reads from. What no task
    of the plan does has none.
    """
    wishing = [node for node in nodes if _wishes(node)]
    if not wishing:
        return ()
    homes = _homes(tasks)
    found: dict[tuple[object, ...], Sla] = {}
    for node in wishing:
        for task_id in _tasks_of(node, homes):
            for sla in node_slas(node, task_id, adapter):
                _put(found, sla, node)
    return tuple(slas_to_json(found.values()))


def node_slas(node: Node, task_id: str, adapter: str | None = None) -> Iterator[Sla]:
    """Yield the SLAs that a node's metadata asks for, of the task that builds it.

    The age of a table is its asset's, whose name still lacks the connection. All that counts
    is in `node.orchestration`, whatever format the node was read from.
    """
    wanted = node.orchestration
    tier = Tier.CRITICAL if wanted.critical else Tier.IMPORTANT
    task = About(kind=SubjectKind.TASK, task_id=task_id)
    if wanted.sla_minutes is not None:
        due = AfterRunStart(minutes=wanted.sla_minutes)
        yield Sla(
            name=_name(node, default_name(due)),
            kind=task.kind,
            task_id=task_id,
            due=due,
            tier=tier,
            owner=wanted.owner,
            tags=node.tags,
        )
    for asked in wanted.slas:
        given = {"tier": tier, "owner": wanted.owner, "tags": node.tags} | asked
        sla = sla_of(msgspec.convert(given, SlaSpec), task, Defaults())
        yield replace(sla, name=_name(node, sla.name))
    if wanted.freshness_minutes is not None and node.relation is not None and _is_ours(node):
        age = MaxAge(minutes=wanted.freshness_minutes)
        yield Sla(
            name=default_name(age),
            kind=SubjectKind.ASSET,
            subject=table_path(node.relation, adapter),
            due=age,
            tier=tier,
            owner=wanted.owner,
            tags=node.tags,
        )


def unwatched(nodes: Iterable[Node]) -> tuple[str, ...]:
    """Warn of sources whose age nobody in Airflow knows."""
    sources = [
        node.name
        for node in nodes
        if node.kind is NodeKind.SOURCE and node.orchestration.freshness_minutes is not None
    ]
    if not sources:
        return ()
    return (
        f"meta.freshness_hours of {len(sources)} sources ({', '.join(sorted(sources)[:5])}, ...) "
        "is not watched: Airflow does not see them filled; give them dbt's `freshness`, or put "
        "them into the config of sla-tracker",
    )


def _wishes(node: Node) -> bool:
    wanted = node.orchestration
    asked = wanted.sla_minutes is not None or wanted.freshness_minutes is not None
    return asked or bool(wanted.slas)


def _homes(tasks: Mapping[str, PlannedTask]) -> dict[str, str]:
    """Return the task that builds or checks a node, by the node's id."""
    homes = {}
    for id_, task in tasks.items():
        for part in task.parts or (task,):
            if part.kind in _DOING:
                homes.update(dict.fromkeys(part.nodes, id_))
    return homes


def _tasks_of(node: Node, homes: Mapping[str, str]) -> Iterable[str]:
    ids = node.parents if node.kind is NodeKind.EXPOSURE else (node.id,)
    return dict.fromkeys(homes[id_] for id_ in ids if id_ in homes)


def _put(found: dict[tuple[object, ...], Sla], sla: Sla, node: Node) -> None:
    """Add an SLA; where a task of several nodes has another one of its name, under a longer one."""
    key = (sla.kind, sla.task_id, sla.subject, sla.name)
    if found.setdefault(key, sla) != sla:
        longer = replace(sla, name=f"{sla.name} ({node.id})")
        found[(*key[:3], longer.name)] = longer


def _name(node: Node, name: str) -> str:
    return f"{name} for {node.name}" if node.kind is NodeKind.EXPOSURE else name


def _is_ours(node: Node) -> bool:
    return node.kind not in (NodeKind.SOURCE, NodeKind.EXPOSURE)
