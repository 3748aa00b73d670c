"""Fewer tasks by choice: a plan's tasks fused into chains, layers or one whole.

What is fused is convex: no path leads out of a fused task and back into it, so that the fused
tasks have no cycle. Only tasks on engine `sql` fuse; those on engine `dbt` stay as they are.
"""

from __future__ import annotations

from collections import defaultdict
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from airflow_dataops.core.manifests.fingerprint import combined
from airflow_dataops.core.plan.acyclic import acyclic_groups
from airflow_dataops.core.plan.structs import Engine, Granularity, Part, PlannedTask, TaskKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_SHOWN = 20
"""So many names are in the description of a fused task at most."""


class Fused(NamedTuple):
    """Tasks that become one.

    Attributes:
        lead: the task whose group and operator arguments hold for all of them, None for none.
        members: in the order in which they may run.
    """

    id: str
    lead: PlannedTask | None
    members: tuple[PlannedTask, ...]


def fused_groups(
    tasks: Mapping[str, PlannedTask],
    granularity: Granularity,
    layer_of: Callable[[str], str],
    may_join: Callable[[PlannedTask, PlannedTask], bool],
) -> list[Fused]:
    """Tell which tasks become one, each with its others; tasks left out stay as they are.

    Args:
        tasks: of a plan, by id, with their `upstream`.
        layer_of: a task's layer, by its id.
        may_join: whether the second task may follow the first in a chain.
    """
    ordered = _in_order(tasks)
    if granularity is Granularity.CHAIN:
        return _chains(ordered, may_join)
    if granularity is Granularity.LAYER:
        wanted = {id_: f"layer.{layer_of(id_)}" for id_ in ordered}
    else:
        wanted = dict.fromkeys(ordered, "dag")
    return _blocks(ordered, wanted)


def with_tests(
    tasks: Mapping[str, PlannedTask], may_join: Callable[[PlannedTask, PlannedTask], bool]
) -> list[Fused]:
    """Fuse each build with the tests of its node alone, under the id of the build.

    So the task of a node keeps its history when its first test joins, or its last one leaves.
    """
    members: dict[str, list[PlannedTask]] = defaultdict(list)
    for id_, built in _units(tasks).items():
        if id_ != built and may_join(tasks[built], tasks[id_]):
            members[built].append(tasks[id_])
    return [
        Fused(id_, tasks[id_], (tasks[id_], *sorted(tests, key=lambda task: task.id)))
        for id_, tests in members.items()
    ]


def fuse(
    tasks: Mapping[str, PlannedTask],
    groups: Iterable[Fused],
    profile_of: Callable[[Fused], int],
) -> dict[str, PlannedTask]:
    """Put one task in the place of each group.

    Args:
        profile_of: the place of the profile of a fused task.
    """
    taken = set(tasks)
    home: dict[str, str] = {}
    chosen: list[tuple[str, Fused]] = []
    for group in groups:
        id_ = _free(group.id, taken - {task.id for task in group.members})
        taken.add(id_)
        home.update({task.id: id_ for task in group.members})
        chosen.append((id_, group))
    result = {
        id_: replace(task, upstream=_outside(id_, [task], home))
        for id_, task in tasks.items()
        if id_ not in home
    }
    for id_, group in chosen:
        result[id_] = _fused(id_, group, home, profile_of(group))
    return result


def _in_order(tasks: Mapping[str, PlannedTask]) -> dict[str, PlannedTask]:
    graph = {id_: tasks[id_].upstream for id_ in sorted(tasks)}
    return {id_: tasks[id_] for id_ in TopologicalSorter(graph).static_order()}


def _chains(
    tasks: Mapping[str, PlannedTask], may_join: Callable[[PlannedTask, PlannedTask], bool]
) -> list[Fused]:
    """Fuse each build with the tests that wait for it alone, and units that follow one another.

    Both are convex: every path into the second leads through the first.
    """
    unit = _units(tasks)
    before: dict[str, set[str]] = defaultdict(set)
    after: dict[str, set[str]] = defaultdict(set)
    for id_, task in tasks.items():
        for other in task.upstream:
            if unit[other] != unit[id_]:
                before[unit[id_]].add(unit[other])
                after[unit[other]].add(unit[id_])
    chain: dict[str, str] = {}
    for id_ in tasks:
        if unit[id_] != id_:
            continue
        chain[id_] = id_
        if len(before[id_]) == 1:
            (first,) = before[id_]
            alone = len(after[first]) == 1 and _is_fusible(tasks[first], tasks[id_])
            if alone and may_join(tasks[first], tasks[id_]):
                chain[id_] = chain[first]
    members: dict[str, list[PlannedTask]] = defaultdict(list)
    for id_, task in tasks.items():
        members[chain[unit[id_]]].append(task)
    return [_chain(found) for found in members.values() if _is_chain(found)]


def _units(tasks: Mapping[str, PlannedTask]) -> dict[str, str]:
    """By task: the build that it is a test of, else itself."""
    unit = {}
    for id_, task in tasks.items():
        unit[id_] = id_
        if task.kind is TaskKind.TEST and len(task.upstream) == 1:
            built = tasks[task.upstream[0]]
            if built.kind is TaskKind.BUILD and _is_fusible(built, task):
                unit[id_] = built.id
    return unit


def _is_fusible(*tasks: PlannedTask) -> bool:
    return all(task.engine is Engine.SQL for task in tasks)


def _is_chain(members: Sequence[PlannedTask]) -> bool:
    """Tell whether it fuses: a single build too, or its id would change with its first test."""
    return len(members) > 1 or (_is_fusible(*members) and members[0].kind is TaskKind.BUILD)


def _chain(members: Sequence[PlannedTask]) -> Fused:
    builds = [task for task in members if task.kind is TaskKind.BUILD]
    lead = (builds or members)[0]
    return Fused(f"chain.{lead.id}", lead, tuple(members))


def _blocks(tasks: Mapping[str, PlannedTask], wanted: Mapping[str, str]) -> list[Fused]:
    """Fuse by name; what would form a cycle is cut into rounds (`layer.staging_2`)."""
    paths = {id_: (wanted[id_],) if _is_fusible(task) else () for id_, task in tasks.items()}
    upstream = {id_: task.upstream for id_, task in tasks.items()}
    members: dict[str, list[PlannedTask]] = defaultdict(list)
    for id_, path in acyclic_groups(paths, upstream).items():
        if path:
            members[path[0]].append(tasks[id_])
    place = {id_: number for number, id_ in enumerate(tasks)}
    return [
        Fused(name, None, tuple(sorted(found, key=lambda task: place[task.id])))
        for name, found in members.items()
    ]


def _fused(id_: str, group: Fused, home: Mapping[str, str], profile: int) -> PlannedTask:
    members, lead = group.members, group.lead
    inside = {task.id for task in members}
    parts = tuple(
        Part(
            id=task.id,
            kind=task.kind,
            nodes=task.nodes,
            upstream=tuple(other for other in task.upstream if other in inside),
            relation=task.relation,
            reason=task.reason,
        )
        for task in members
    )
    return PlannedTask(
        id=id_,
        kind=TaskKind.FUSED,
        nodes=tuple(node for part in parts for node in part.nodes),
        node_kind=members[0].node_kind,
        engine=Engine.SQL,
        reason="; ".join(dict.fromkeys(part.reason for part in parts)),
        upstream=_outside(id_, members, home),
        group=lead.group if lead else (),
        profile=profile,
        description=lead.description if lead and lead.id == id_ else _description(parts),
        fingerprint=combined([task.fingerprint for task in members]),
        parts=parts,
    )


def _outside(id_: str, members: Iterable[PlannedTask], home: Mapping[str, str]) -> tuple[str, ...]:
    waits = {home.get(other, other) for task in members for other in task.upstream}
    return tuple(sorted(waits - {id_}))


def _description(parts: Sequence[Part]) -> str:
    names = [f"`{part.id}`" for part in parts]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"Runs {', '.join(names[:_SHOWN])}{more}."


def _free(wanted: str, taken: set[str]) -> str:
    while wanted in taken:
        wanted += "_fused"
    return wanted
