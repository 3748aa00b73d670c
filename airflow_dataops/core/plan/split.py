"""One project -> the plans of several DAGs, wired to each other by the tables they read."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.model import NodeKind
from airflow_dataops.core.plan.boundaries import (
    Graph,
    boundaries,
    parts_of_tasks,
    tasks_of_part,
)
from airflow_dataops.core.plan.divide import by_selection, cut_cycles, divide, order_of
from airflow_dataops.core.plan.make import Planner
from airflow_dataops.core.plan.run_hooks import told_of_parts
from airflow_dataops.core.plan.schedule import rank, schedule_of
from airflow_dataops.core.plan.slices import (
    Slice,
    foreign_inputs,
    held_back,
    inputs_of,
    nearest_parents,
)
from airflow_dataops.core.plan.split_keys import key_of, part_names
from airflow_dataops.core.plan.starts import Starting, starts_of
from airflow_dataops.core.plan.structs import (
    Cycles,
    Input,
    Plan,
    PlanOptions,
    ScheduleFrom,
    SplitBy,
    SplitOptions,
    Unassigned,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set

    from airflow_dataops.core.model import Node, Project

_SHOWN = 3
"""So many nodes of a part are named at most."""
MAIN = "main"
REST = "rest"


def split_plan(
    project: Project,
    options: PlanOptions | None = None,
    split: SplitOptions | None = None,
    *,
    selected: Set[str] | None = None,
    foreign: Set[str] | None = None,
    selections: Mapping[str, Set[str]] | None = None,
) -> tuple[Plan, ...]:
    """Plan the DAGs of a project's parts, in an order in which they may run.

    A project with nothing to split by (no tags, one schedule) is one plan of all of it.

    Args:
        selected, foreign: as for `make_plan`.
        selections: ids of nodes by name of the part, where it is split by selectors.

    Raises:
        ConfigError: parts overlap, have one name, or wait for each other in a cycle.
        ManifestError: with every node that no engine can run, or whose metadata is wrong.
    """
    options, split = options or PlanOptions(), split or SplitOptions()
    planner = Planner(project, options, selected, foreign)
    if split.by is SplitBy.SELECTORS and split.unassigned is Unassigned.SKIP:
        selected = _taken(planner, selections or {})
        planner = Planner(project, options, selected, foreign)
    planner.draft()
    part = _divided(planner, split, selections or {})
    fewest = 2 if split.by is SplitBy.SCHEDULE else 1
    if len(set(part.values())) < fewest:
        return (planner.whole(),)
    told = _told_of_cuts(part, planner.nearest, split.cycles)
    if told:
        part = cut_cycles(part, planner.nearest)
    told += told_of_parts(project, options)
    plans = map(_with_own_profiles, _Splitter(planner, split, part).plans())
    return tuple(replace(plan, warnings=plan.warnings + told) for plan in plans)


def _taken(planner: Planner, selections: Mapping[str, Set[str]]) -> set[str]:
    """Return the ids that selectors take, with the sources, and the tests of what they take."""
    taken = set[str]().union(*selections.values())
    mine = {node.id for node in planner.selected}
    return {
        node.id
        for node in planner.selected
        if node.id in taken
        or node.kind is NodeKind.SOURCE
        or (node.kind is NodeKind.TEST and mine & taken & set(node.parents))
    }


def _divided(
    planner: Planner, split: SplitOptions, selections: Mapping[str, Set[str]]
) -> dict[str, str]:
    """Return the name of the part of each node that is built; empty for nothing to split by."""
    built = planner.built()
    if split.by is SplitBy.NONE:
        return {}
    if split.by is SplitBy.SELECTORS:
        rest = REST if split.unassigned is Unassigned.PART else None
        part = by_selection([node.id for node in built], selections, rest)
    else:
        part = _by_keys(planner, split.by, built)
    named = part_names(set(part.values()))
    return {id_: named[key] for id_, key in part.items()}


def _told_of_cuts(
    part: Mapping[str, str], parents: Mapping[str, Iterable[str]], cycles: Cycles
) -> tuple[str, ...]:
    """Say which nodes are cut off into DAGs of their own, if any are to be."""
    if cycles is Cycles.REFUSE:
        return ()
    off: dict[str, list[str]] = {}
    for id_, name in cut_cycles(part, parents).items():
        if name != part[id_]:
            off.setdefault(name, []).append(id_)
    if not off:
        return ()
    which = "; ".join(
        f"{name!r} ({', '.join(ids[:_SHOWN])}"
        + (f" and {len(ids) - _SHOWN} more)" if len(ids) > _SHOWN else ")")
        for name, ids in sorted(off.items())
    )
    return (
        "parts read from each other in a cycle, so what comes later in it is a DAG of its own: "
        f"{which}; cycles='refuse' refuses this instead",
    )


def _by_keys(planner: Planner, by: SplitBy, built: list[Node]) -> dict[str, str]:
    own = {node.id: key for node in built if (key := key_of(node, by))}
    if not own:
        return {}
    is_time = by is SplitBy.SCHEDULE
    return divide(
        [node.id for node in built],
        planner.nearest,
        own,
        rank if is_time else lambda key: (0, key),
        min(own.values(), key=rank) if is_time else MAIN,
    )


class _Splitter:
    """Makes the plans of the parts of a draft."""

    def __init__(self, planner: Planner, split: SplitOptions, part: dict[str, str]) -> None:
        self._planner = planner
        self._part = part
        self._graph = Graph(planner.tasks, nearest_parents(planner), planner.gates)
        self._makers = order_of(planner.project.name, part, planner.nearest)
        self._places = parts_of_tasks(self._graph, part, list(self._makers))
        self._cuts = boundaries(self._graph, part, self._places)
        self._foreign = foreign_inputs(planner)
        self._held = held_back(planner)
        self._starts = self._starting(split)

    def plans(self) -> list[Plan]:
        return [copy.copy(self._planner).finish(self._slice(name)) for name in self._makers]

    def _starting(self, split: SplitOptions) -> dict[str, Starting]:
        foreign = {name for id_ in self._foreign for name in self._places[id_]}
        if split.schedules is ScheduleFrom.CALLER:
            return starts_of(self._makers, dict.fromkeys(self._makers), foreign)
        nodes: dict[str, list[Node]] = {name: [] for name in self._makers}
        for id_, name in self._part.items():
            nodes[name].append(self._planner.project.nodes[id_])
        own = {name: schedule_of(mine) for name, mine in nodes.items()}
        default = schedule_of(self._planner.selected)
        return starts_of(self._makers, own, foreign, default)

    def _slice(self, name: str) -> Slice:
        tasks = tasks_of_part(self._graph, name, self._places)
        names = self._planner.names
        held = {id_: gates for id_, gates in self._held.items() if id_ in tasks}
        for id_, gates in self._cuts.held.get(name, {}).items():
            held[names[id_]] = held.get(names[id_], set()) | gates
        held = {id_: gates & tasks.keys() for id_, gates in held.items()}
        foreign = self._foreign.keys() & tasks.keys()
        return Slice(
            tasks=tasks,
            starting=self._starts[name],
            readers=self._cuts.readers.get(name, set()) | foreign,
            inputs=self._inputs(name, foreign),
            held=held,
            part=name,
        )

    def _inputs(self, name: str, foreign: Set[str]) -> tuple[Input, ...]:
        nodes = self._planner.project.nodes
        elsewhere = frozenset[str]().union(*(self._foreign[id_] for id_ in foreign))
        inputs = list(inputs_of(self._planner.project, elsewhere))
        for id_ in self._cuts.inputs.get(name, ()):
            maker, relation = self._part[id_], nodes[id_].relation
            if relation is not None:
                pace = self._starts[maker].pace
                inputs.append(Input(relation=relation, maker=maker, schedule=pace))
        return tuple(sorted(inputs, key=lambda found: str(found.relation)))


def _with_own_profiles(plan: Plan) -> Plan:
    """Keep the profiles that the tasks of a plan have, and no others."""
    used = sorted({task.profile for task in plan.tasks.values()})
    place = {profile: number for number, profile in enumerate(used)}
    tasks = {id_: replace(task, profile=place[task.profile]) for id_, task in plan.tasks.items()}
    return replace(plan, tasks=tasks, profiles=tuple(plan.profiles[number] for number in used))
