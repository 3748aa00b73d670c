"""The graph below the plan: order, shortcuts past what has no task, and gates of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Set

    from airflow_dataops.core.model import Project


_NONE: frozenset[str] = frozenset()
_last: list[tuple[Project, list[str]]] = []
"""The project that was sorted last, and its order: task groups of one DAG file share both."""


def topological(project: Project) -> list[str]:
    """Return all node ids, parents first; ties by id, so that the order is always the same.

    The project must be free of cycles, which its reader made sure of. The list is not to be
    changed.
    """
    for known, order in tuple(_last):
        if known is project:
            return order
    order = _sorted(project)
    _last[:] = [(project, order)]
    return order


def _sorted(project: Project) -> list[str]:
    children: dict[str, list[str]] = {}
    missing = {}
    for node in project.nodes.values():
        missing[node.id] = len(node.parents)
        for parent in node.parents:
            children.setdefault(parent, []).append(node.id)
    ready = sorted((id_ for id_, count in missing.items() if count == 0), reverse=True)
    order = []
    while ready:
        id_ = ready.pop()
        order.append(id_)
        for child in sorted(children.get(id_, ()), reverse=True):
            missing[child] -= 1
            if missing[child] == 0:
                ready.append(child)
    return order


def nearest_parents(
    project: Project, order: Iterable[str], kept: Set[str], wanted: Iterable[str]
) -> dict[str, frozenset[str]]:
    """For each wanted node, its nearest ancestors among the nodes that are kept.

    Lineage passes through nodes that are not kept: ephemeral models, nodes not selected.
    """
    nearest: dict[str, frozenset[str]] = {}
    needed = _with_passages(project, kept, wanted)
    for id_ in filter(needed.__contains__, order):
        found: set[str] = set()
        for parent in project.nodes[id_].parents:
            if parent in kept:
                found.add(parent)
            elif beyond := nearest[parent]:
                found |= beyond
        nearest[id_] = frozenset(found) if found else _NONE
    return nearest


def _with_passages(project: Project, kept: Set[str], wanted: Iterable[str]) -> set[str]:
    """Add the nodes that are not kept and through which lineage reaches the wanted ones."""
    needed: set[str] = set()
    waiting = list(wanted)
    while waiting:
        id_ = waiting.pop()
        if id_ not in needed:
            needed.add(id_)
            waiting += [parent for parent in project.nodes[id_].parents if parent not in kept]
    return needed


class Descendants:
    """Sets of descendants as bits of an integer: bit i is the node at place i of the order."""

    def __init__(self, order: list[str], parents: Mapping[str, Iterable[str]]) -> None:
        self._order = order
        self._place = {id_: place for place, id_ in enumerate(order)}
        self._below = [0] * len(order)
        for id_ in reversed(order):
            place = self._place[id_]
            mine = self._below[place] | 1 << place
            for parent in parents[id_]:
                self._below[self._place[parent]] |= mine

    def first_below_all(self, ids: Iterable[str]) -> Iterator[str]:
        """Yield the first nodes that descend from every one of `ids`.

        Nodes that descend from a node already yielded are left out.
        """
        places = [self._place[id_] for id_ in ids]
        common = -1 if places else 0
        for place in places:
            common &= self._below[place]
        while common:
            first = (common & -common).bit_length() - 1
            yield self._order[first]
            common &= ~(self._below[first] | 1 << first)
