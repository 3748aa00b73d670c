"""A project's tasks, cut into parts: which task is where, and what lies on the boundaries."""

from __future__ import annotations

from collections import defaultdict
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from airflow_dataops.core.plan.structs import PlannedTask, TaskKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_NONE: frozenset[str] = frozenset()


class Graph(NamedTuple):
    """The tasks of a whole project.

    Attributes:
        tasks: by id, with their `upstream`.
        nearest: the nearest parents by node, and by test of several.
        gates: by node, the tasks after which what reads from it may run.
    """

    tasks: Mapping[str, PlannedTask]
    nearest: Mapping[str, frozenset[str]]
    gates: Mapping[str, Sequence[str]]

    def read_by(self, task: PlannedTask) -> frozenset[str]:
        """Return the nearest parents of the nodes of a task."""
        return _NONE.union(*(self.nearest.get(id_, _NONE) for id_ in task.nodes))


class Boundaries(NamedTuple):
    """What lies between the parts.

    Attributes:
        inputs: by part, the nodes of other parts that it reads.
        readers: by part, the tasks that read them.
        held: by part and node that others read, the tasks that must succeed before others may
            read it.
    """

    inputs: Mapping[str, set[str]]
    readers: Mapping[str, set[str]]
    held: Mapping[str, Mapping[str, set[str]]]


def parts_of_tasks(
    graph: Graph, part: Mapping[str, str], order: Sequence[str]
) -> dict[str, frozenset[str]]:
    """Return the parts that each task is in.

    A build is where its node is; tests are where the last of the nodes they read is. What
    looks at sources alone (freshness, their tests) is in every part that waits for it.

    Args:
        part: of each built node.
        order: the parts in an order in which they may run.
    """
    place = {name: number for number, name in enumerate(order)}
    found: dict[str, frozenset[str]] = {}
    waiting: dict[str, set[str]] = defaultdict(set)
    for id_ in reversed(list(_sorted(graph.tasks))):
        task = graph.tasks[id_]
        nodes = task.nodes if task.kind is TaskKind.BUILD else graph.read_by(task)
        mine = {part[node] for node in nodes if node in part}
        if mine:
            found[id_] = frozenset([max(mine, key=place.__getitem__)])
        else:
            found[id_] = frozenset(waiting[id_]) or frozenset(order[:1])
        for other in task.upstream:
            waiting[other] |= found[id_]
    return found


def tasks_of_part(
    graph: Graph, name: str, parts: Mapping[str, frozenset[str]]
) -> dict[str, PlannedTask]:
    """Return the tasks of a part, which wait for tasks of that part alone."""
    return {
        id_: replace(task, upstream=tuple(u for u in task.upstream if name in parts[u]))
        for id_, task in graph.tasks.items()
        if name in parts[id_]
    }


def boundaries(
    graph: Graph, part: Mapping[str, str], parts: Mapping[str, frozenset[str]]
) -> Boundaries:
    """Find what the parts read of each other. Tests do not tie parts together."""
    inputs: dict[str, set[str]] = defaultdict(set)
    readers: dict[str, set[str]] = defaultdict(set)
    held: dict[str, dict[str, set[str]]] = defaultdict(dict)
    late: list[tuple[str, list[str]]] = []
    for id_, task in graph.tasks.items():
        if task.kind is not TaskKind.BUILD:
            continue
        (mine,) = parts[id_]
        read = sorted(n for n in graph.read_by(task) if part.get(n, mine) != mine)
        if read:
            inputs[mine].update(read)
            readers[mine].add(id_)
        for node in read:
            held[part[node]].setdefault(node, set(graph.gates[node]))
        gates = {gate for node in graph.read_by(task) for gate in graph.gates[node]}
        late += [
            (gate, read) for gate in task.upstream if gate not in gates and mine not in parts[gate]
        ]
    for gate, read in late:
        (maker,) = parts[gate]
        for node in _vouched(graph, gate, [n for n in read if part[n] == maker], held[maker]):
            held[maker][node].add(gate)
    return Boundaries(inputs, readers, held)


def _vouched(
    graph: Graph, gate: str, read: Sequence[str], held: Mapping[str, set[str]]
) -> Iterable[str]:
    """Return the nodes whose readers must wait for a test of several.

    They are those that it tests, of what its reader reads in its part; else all that is read
    there; else (the reader reads what others made of them) those that it tests; else all.
    """
    tested = graph.read_by(graph.tasks[gate])
    return (
        [node for node in read if node in tested]
        or read
        or sorted(held.keys() & tested)
        or sorted(held)
    )


def _sorted(tasks: Mapping[str, PlannedTask]) -> Iterable[str]:
    return TopologicalSorter({id_: tasks[id_].upstream for id_ in sorted(tasks)}).static_order()
