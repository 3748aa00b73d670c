"""Parents of nodes, and cycles among them. All of it is iterative and linear in the edges."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from airflow_dataops.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    Parents = Mapping[str, Sequence[str]]


def parents_within(ids: Iterable[str], known: Container[str], through: Parents) -> tuple[str, ...]:
    """Return the known nodes among `ids`, sorted and without repeats.

    An id that is unknown but among `through` stands for what is given there.
    """
    waiting = list(ids)
    if len(waiting) < 2 and (not waiting or waiting[0] in known):
        return tuple(waiting)
    found: set[str] = set()
    passed: set[str] = set()
    while waiting:
        id_ = waiting.pop()
        if id_ in known:
            found.add(id_)
        elif id_ in through and id_ not in passed:
            passed.add(id_)
            waiting.extend(through[id_])
    return tuple(sorted(found))


def cycles(parents: Parents) -> list[Problem]:
    """Return a problem for each knot of circular dependencies, with a shortest path round it."""
    return [_problem(way) for way in ways_round(parents)]


def ways_round(parents: Parents) -> list[list[str]]:
    """Return a shortest way round for each knot of cycles: ids, the first again at the end."""
    if _is_free_of_cycles(parents):
        return []
    return [_path_round(knot, parents) for knot in _knots(parents)]


def _is_free_of_cycles(parents: Parents) -> bool:
    """Take away what waits for nothing, again and again, and see whether anything is left."""
    children: dict[str, list[str]] = {}
    missing: dict[str, int] = {}
    for id_, mine in parents.items():
        missing[id_] = len(mine)
        for parent in mine:
            children.setdefault(parent, []).append(id_)
    ready = [id_ for id_, count in missing.items() if count == 0]
    gone = 0
    while ready:
        gone += 1
        for child in children.get(ready.pop(), ()):
            missing[child] -= 1
            if missing[child] == 0:
                ready.append(child)
    return gone == len(missing)


def _problem(path: list[str]) -> Problem:
    way = " -> ".join(path)
    return Problem(
        f"circular dependency: {way}, each reads the next. Remove one of these references.",
        node=path[0],
    )


class _Visit(NamedTuple):
    """A node whose parents are being walked, and those that are left."""

    id: str
    left: list[str]


def _knots(parents: Parents) -> list[set[str]]:
    """Return the strongly connected components that hold a cycle (Tarjan 1972), sorted."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    open_: set[str] = set()
    knots: list[set[str]] = []
    for start in sorted(parents):
        visits = [] if start in order else [_Visit(start, list(parents[start]))]
        while visits:
            id_, left = visits[-1]
            if id_ not in order:
                order[id_] = lowest[id_] = len(order)
                stack.append(id_)
                open_.add(id_)
            if left:
                parent = left.pop()
                if parent not in order:
                    visits.append(_Visit(parent, list(parents.get(parent, ()))))
                elif parent in open_:
                    lowest[id_] = min(lowest[id_], order[parent])
                continue
            visits.pop()
            if visits:
                child = visits[-1].id
                lowest[child] = min(lowest[child], lowest[id_])
            if lowest[id_] == order[id_]:
                knot = _pop_until(id_, stack)
                open_ -= knot
                if len(knot) > 1 or id_ in parents[id_]:
                    knots.append(knot)
    return sorted(knots, key=min)


def _pop_until(id_: str, stack: list[str]) -> set[str]:
    popped: set[str] = set()
    while id_ not in popped:
        popped.add(stack.pop())
    return popped


def _path_round(knot: set[str], parents: Parents) -> list[str]:
    """Return a shortest way from the knot's first node back to it."""
    first = min(knot)
    came_from: dict[str, str] = {}
    waiting = deque([first])
    while first not in came_from:
        id_ = waiting.popleft()
        for parent in parents[id_]:
            if parent in knot and parent not in came_from:
                came_from[parent] = id_
                waiting.append(parent)
    path = [first, came_from[first]]
    while path[-1] != first:
        path.append(came_from[path[-1]])
    return path[::-1]
