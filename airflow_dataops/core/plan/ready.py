"""The two ends of a boundary: who tells that a table is ready, and who waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.manifests.fingerprint import combined
from airflow_dataops.core.model import NodeKind
from airflow_dataops.core.plan.structs import Engine, PlannedTask, TaskKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from airflow_dataops.core.model import Relation

READY = "ready"
WAIT = "inputs.wait"
"""The id of the task that waits for inputs; no node is called like it, for the dot in it."""


def emit_when_ready(
    tasks: Mapping[str, PlannedTask], held: Mapping[str, Collection[str]]
) -> dict[str, PlannedTask]:
    """Let the assets of tables be emitted by the task that vouches for them.

    That is the one test task that gates the readers; where there are several, or it does not
    wait for the build itself, a task of its own, `<build>.ready`. In a fused task that builds
    and tests a table nothing changes.

    Args:
        tasks: of a DAG, fused or not.
        held: by id of the build (before tasks were fused), the tasks that must succeed first.
    """
    result = dict(tasks)
    home = {part.id: id_ for id_, task in tasks.items() for part in task.parts}
    for build, gates in sorted(held.items()):
        mine = home.get(build, build)
        # Who waits for the task that builds it waits for the tests in that task too.
        vouching = {home.get(gate, gate) for gate in gates} - {mine}
        if vouching:
            relation = _silence(result, mine, build)
            if relation is not None:
                _let_tell(result, build, vouching, relation, result[mine])
    return result


def _silence(tasks: dict[str, PlannedTask], id_: str, build: str) -> Relation | None:
    """Keep a task from emitting the asset of what it builds; return the table."""
    task = tasks[id_]
    if not task.parts:
        tasks[id_] = replace(task, outlets=())
        return task.relation
    (part,) = (part for part in task.parts if part.id == build)
    parts = tuple(replace(p, relation=None) if p is part else p for p in task.parts)
    tasks[id_] = replace(task, parts=parts)
    return part.relation


def _let_tell(
    tasks: dict[str, PlannedTask],
    build: str,
    vouching: set[str],
    relation: Relation,
    built: PlannedTask,
) -> None:
    id_ = min(vouching)
    task = tasks[id_]
    if len(vouching) == 1 and built.id in task.upstream:
        tasks[id_] = replace(task, outlets=(*(task.outlets or ()), relation))
        return
    id_ = f"{build}.{READY}"
    nodes = dict.fromkeys(n for gate in sorted(vouching) for n in tasks[gate].nodes)
    tasks[id_] = PlannedTask(
        id=id_,
        kind=TaskKind.READY,
        nodes=tuple(nodes),
        node_kind=built.node_kind,
        engine=Engine.SQL,
        reason="tells other DAGs that all of its tests passed",
        upstream=tuple(sorted({*vouching, built.id})),
        group=built.group,
        profile=built.profile,
        outlets=(relation,),
        fingerprint=combined([tasks[gate].fingerprint for gate in sorted(vouching)]),
    )


def wait_for_inputs(
    tasks: Mapping[str, PlannedTask], readers: Collection[str], profile: int
) -> dict[str, PlannedTask]:
    """Let the tasks that read inputs wait in the DAG until these are fresh.

    Args:
        tasks: of a DAG, fused or not.
        readers: ids of those that read inputs, before tasks were fused.
        profile: place of the profile of the task that waits.
    """
    home = {part.id: id_ for id_, task in tasks.items() for part in task.parts}
    waiting = {home.get(id_, id_) for id_ in readers}
    result = {
        id_: replace(task, upstream=tuple(sorted({*task.upstream, WAIT})))
        if id_ in waiting
        else task
        for id_, task in tasks.items()
    }
    result[WAIT] = PlannedTask(
        id=WAIT,
        kind=TaskKind.WAIT,
        nodes=(),
        node_kind=NodeKind.SOURCE,
        engine=Engine.SQL,
        reason="waits until the tables of other DAGs are fresh",
        profile=profile,
        outlets=(),
        description="Waits until what other DAGs fill is fresh.",
    )
    return result
