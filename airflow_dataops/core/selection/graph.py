"""Who reads from whom: walks over the graph, linear in the nodes they touch."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from airflow_dataops.core.selection.spec import ANY_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Set

    from airflow_dataops.core.model import Node


class Graph:
    """The lineage of a project, in both directions."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes
        self._children: defaultdict[str, list[str]] = defaultdict(list)
        for node in nodes.values():
            for parent in node.parents:
                self._children[parent].append(node.id)

    def parents(self, node_id: str) -> tuple[str, ...]:
        """Return the ids that a node reads from."""
        return self._nodes[node_id].parents

    def children(self, node_id: str) -> Iterable[str]:
        """Return the ids that read from a node."""
        return self._children.get(node_id, ())

    def ancestors(self, ids: Set[str], depth: int = ANY_DEPTH) -> set[str]:
        """Return what is at most `depth` steps upstream of any of `ids`.

        One of `ids` is in the result only where it is upstream of another.
        """
        return _walk(ids, depth, self.parents)

    def descendants(self, ids: Set[str], depth: int = ANY_DEPTH) -> set[str]:
        """Return what is at most `depth` steps downstream of any of `ids`."""
        return _walk(ids, depth, self.children)

    def with_childrens_parents(self, ids: Set[str]) -> set[str]:
        """Return `ids`, what is downstream, and all that any of these is built from."""
        family = self.descendants(ids) | ids
        return self.ancestors(family) | family


def _walk(start: Set[str], depth: int, step: Callable[[str], Iterable[str]]) -> set[str]:
    seen: set[str] = set()
    front: Set[str] = start
    while front and depth > 0:
        front = {near for id_ in front for near in step(id_) if near not in seen}
        seen |= front
        depth -= 1
    return seen
