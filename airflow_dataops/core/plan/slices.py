"""What one DAG is made of: a project's tasks, or some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from airflow_dataops.core.model import NodeKind
from airflow_dataops.core.plan import graph
from airflow_dataops.core.plan.starts import Starting, starts_of
from airflow_dataops.core.plan.structs import AssetsWhen, Input, Start, StartWhen, TaskKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Set

    from airflow_dataops.core.model import Node, Project
    from airflow_dataops.core.plan.structs import PlannedTask, PlanOptions


class Drafted(Protocol):
    """What is asked of a planner that has drafted its tasks, each node for itself."""

    project: Project
    options: PlanOptions
    order: list[str]
    names: dict[str, str]
    tasks: dict[str, PlannedTask]
    gates: dict[str, list[str]]
    nearest: dict[str, frozenset[str]]
    foreign: Set[str]

    def built(self) -> list[Node]:
        """Return the nodes that are built, parents first."""
        ...


class Slice(NamedTuple):
    """The tasks of one DAG, before some of them are fused.

    Attributes:
        part: the part of the project; empty for all of it.
        readers: ids of the tasks that read inputs.
        held: by id of a build, the tasks after which the asset of its table is emitted.
    """

    tasks: Mapping[str, PlannedTask]
    starting: Starting
    readers: Collection[str] = ()
    inputs: tuple[Input, ...] = ()
    held: Mapping[str, Collection[str]] = {}
    part: str = ""

    def waits(self, start_when: StartWhen) -> bool:
        """Tell whether runs wait for inputs after they have started.

        Of several inputs, all of which start a run, some may be older than others: Airflow
        counts events since the last run, and one of them may be from the day before, left over
        because another input was missing.
        """
        if self.starting.start is Start.INPUTS:
            return start_when is StartWhen.ALL and len(self.inputs) > 1
        return self.starting.start is Start.TIME_AND_INPUTS


def external_models(project: Project) -> frozenset[str]:
    """Return the models of other projects that the manifest names without their code.

    dbt writes those of a project in `dependencies.yml` without a path
    (`ModelNode.is_external_node` in dbt-core 1.11).
    """
    return frozenset(
        node.id
        for node in project.nodes.values()
        if node.package != project.name and not node.path and node.kind is NodeKind.MODEL
    )


def filled_elsewhere(project: Project) -> frozenset[str]:
    """Return the sources, and the models of other projects."""
    sources = {node.id for node in project.nodes.values() if node.kind is NodeKind.SOURCE}
    return external_models(project) | sources


def inputs_of(project: Project, ids: Iterable[str]) -> tuple[Input, ...]:
    """Return the inputs that nodes filled elsewhere stand for, sorted."""
    found = {}
    for id_ in ids:
        node = project.nodes[id_]
        if node.relation is not None:
            found[str(node.relation)] = Input(relation=node.relation, maker=node.package)
    return tuple(found[name] for name in sorted(found))


def whole_slice(planner: Drafted, schedule: str | None) -> Slice:
    """Return all that a planner drafted as one DAG."""
    foreign = foreign_inputs(planner)
    inputs = frozenset[str]().union(*foreign.values())
    starts = starts_of({"": set()}, {"": schedule}, {""} if inputs else set())
    return Slice(
        tasks=planner.tasks,
        starting=starts[""],
        readers=frozenset(foreign),
        inputs=inputs_of(planner.project, inputs),
        held=held_back(planner),
    )


def nearest_parents(planner: Drafted) -> dict[str, frozenset[str]]:
    """Return the nearest parents by node with tasks, and by test."""
    nodes = planner.project.nodes
    tests = {
        test: frozenset(nodes[test].parents)
        for task in planner.tasks.values()
        if task.kind is TaskKind.TEST
        for test in task.nodes
    }
    return tests | planner.nearest


def foreign_inputs(planner: Drafted) -> dict[str, frozenset[str]]:
    """Return the nodes that other DAGs fill, by task that reads them."""
    if not planner.foreign:
        return {}
    kept = planner.gates.keys() | planner.foreign
    wanted = {node for task in planner.tasks.values() for node in task.nodes}
    nearest = graph.nearest_parents(planner.project, planner.order, kept, wanted)
    found = {}
    for id_, task in planner.tasks.items():
        if task.kind is TaskKind.FRESHNESS:
            read = frozenset(task.nodes)
        else:
            read = frozenset[str]().union(*(nearest[node] for node in task.nodes))
        if read := read & planner.foreign:
            found[id_] = read
    return found


def held_back(planner: Drafted) -> dict[str, set[str]]:
    """By build: the tests after which its asset is emitted, where that is asked for."""
    if planner.options.assets is AssetsWhen.BUILT:
        return {}
    nearest = nearest_parents(planner)
    held = {node.id: set(planner.gates[node.id]) for node in planner.built()}
    for id_, task in planner.tasks.items():
        for test in task.nodes if task.kind is TaskKind.TEST else ():
            for parent in nearest[test] & held.keys():
                held[parent].add(id_)
    return {planner.names[node]: gates for node, gates in held.items()}
