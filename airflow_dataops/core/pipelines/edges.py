"""What comes before what: names of tasks and groups, and cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.pipelines.report import near

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_dataops.core.pipelines.faults import Place
    from airflow_dataops.core.pipelines.report import Path, Report

Names = tuple[str, ...]
"""The names that lead to a task or a group in the file."""


class Scope:
    """Tasks and groups by the names that lead to them."""

    def __init__(self) -> None:
        self.ids: dict[Names, str] = {}
        self.groups: set[str] = set()
        self._by_id: dict[str, Names] = {}

    def add(self, names: Names, id_: str, *, is_group: bool) -> bool:
        """Enter a task or group; return whether its id is still free."""
        is_free = id_ not in self._by_id
        self.ids[names] = id_
        self._by_id.setdefault(id_, names)
        if is_group:
            self.groups.add(id_)
        return is_free

    def find(self, name: str, inside: Names) -> str | None:
        """Return the id that a name stands for, from inside of groups outwards; None for none."""
        parts = tuple(name.split("."))
        for depth in range(len(inside), -1, -1):
            if (found := self.ids.get(inside[:depth] + parts)) is not None:
                return found
        return name if name in self._by_id else None

    def names_of(self, id_: str) -> Names:
        """Return the names that lead to a task or group."""
        return self._by_id[id_]

    def nearest(self, name: str, inside: Names) -> str:
        """Return the end of a message about a name that stands for nothing."""
        here = {".".join(names[len(inside) :]) for names in self.ids if names[:-1] == inside}
        return near(name, here | {".".join(names) for names in self.ids})


class Edge:
    """A task or group that waits for another, and where that is written."""

    def __init__(self, before: str, after: str, at: Place, path: Path) -> None:
        self.before, self.after, self.at, self.path = before, after, at, path


def check_edges(scope: Scope, edges: Iterable[Edge], report: Report) -> None:
    """Report what waits for itself: tasks, groups, or tasks of groups that wait for each other."""
    graph: dict[Names, dict[Names, Edge]] = {}
    for edge in edges:
        before, after = scope.names_of(edge.before), scope.names_of(edge.after)
        depth = next(
            (n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]),
            None,
        )
        if depth is None:
            told = f"{edge.after!r} waits for {edge.before!r}, "
            told += "itself." if before == after else "and one of them is in the other."
            report.add("cycle", told, edge.at, edge.path)
            continue
        graph.setdefault(before[: depth + 1], {}).setdefault(after[: depth + 1], edge)
    for cycle in _cycles(graph):
        edge = graph[cycle[-1]][cycle[0]]
        told = " -> ".join(scope.ids.get(names, names[-1]) for names in (*cycle, cycle[0]))
        report.add("cycle", f"These wait for each other in a circle: {told}.", edge.at, edge.path)


def _cycles(graph: Mapping[Names, Mapping[Names, Edge]]) -> list[list[Names]]:
    """Return a cycle of each part of the graph that has one."""
    done: set[Names] = set()
    found = []
    for start in graph:
        trail: dict[Names, None] = {}
        stack = [(start, iter(graph.get(start, ())))] if start not in done else []
        trail[start] = None
        while stack:
            node, rest = stack[-1]
            after = next(rest, None)
            if after is None:
                stack.pop()
                trail.pop(node, None)
                done.add(node)
            elif after in trail:
                names = list(trail)
                found.append(names[names.index(after) :])
                done.update(trail)
                break
            elif after not in done:
                trail[after] = None
                stack.append((after, iter(graph.get(after, ()))))
    return found
