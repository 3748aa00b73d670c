"""Which part of a split project each model, seed and snapshot belongs to.

What says nothing of its part goes with its nearest consumer, else with its nearest producer,
else into the main part.
"""

from __future__ import annotations

from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING

from airflow_dataops.core.plan.acyclic import acyclic_groups
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence, Set

_SHOWN = 10
"""So many nodes are named in a message at most."""


def divide(
    built: Sequence[str],
    parents: Mapping[str, Iterable[str]],
    own: Mapping[str, str],
    rank: Callable[[str], tuple[int, str]],
    main: str,
) -> dict[str, str]:
    """Return the part of every built node.

    Args:
        built: ids of the nodes, parents first.
        parents: nearest ancestors by node; others than those of `built` do not count.
        own: what nodes say of their part themselves.
        rank: of two parts that are equally near, the one with the lower rank is taken.
        main: the part of what has no relatives with a part.
    """
    known = set(built)
    inside = {id_: [p for p in parents[id_] if p in known] for id_ in built}
    children: dict[str, list[str]] = defaultdict(list)
    for id_, mine in inside.items():
        for parent in mine:
            children[parent].append(id_)
    below = _nearest(reversed(built), children, own, rank)
    found = {id_: below[id_][1] for id_ in built if id_ in below}
    above = _nearest(built, inside, found, rank)
    return {id_: above[id_][1] if id_ in above else main for id_ in built}


def _nearest(
    order: Iterable[str],
    neighbours: Mapping[str, Iterable[str]],
    own: Mapping[str, str],
    rank: Callable[[str], tuple[int, str]],
) -> dict[str, tuple[int, str]]:
    """Return distance and part of the nearest neighbour that has one; neighbours come first."""
    found: dict[str, tuple[int, str]] = {}
    for id_ in order:
        if id_ in own:
            found[id_] = (0, own[id_])
            continue
        seen = [found[other] for other in neighbours.get(id_, ()) if other in found]
        if seen:
            distance, part = min(seen, key=lambda near: (near[0], *rank(near[1])))
            found[id_] = (distance + 1, part)
    return found


def by_selection(
    built: Iterable[str], selections: Mapping[str, Set[str]], rest: str | None
) -> dict[str, str]:
    """Return the part of every node that is in one; `rest` is the part of all others.

    Raises:
        ConfigError: parts overlap; the text names the nodes.
    """
    if rest in selections:
        raise ConfigError(
            f"selectors: {rest!r} is what no other selector takes; give that selector another "
            "name, or pass unassigned='skip'"
        )
    part: dict[str, str] = {}
    twice: list[str] = []
    for id_ in built:
        mine = [name for name, ids in selections.items() if id_ in ids]
        if len(mine) > 1:
            twice.append(f"{id_} ({', '.join(mine)})")
        elif mine or rest is not None:
            part[id_] = mine[0] if mine else str(rest)
    if twice:
        more = f" and {len(twice) - _SHOWN} more" if len(twice) > _SHOWN else ""
        raise ConfigError(
            f"selectors overlap: {', '.join(twice[:_SHOWN])}{more}. A node is built by one DAG: "
            "take it out of the others: {'select': ..., 'exclude': ...}"
        )
    return part


def cut_cycles(part: Mapping[str, str], parents: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Cut parts that wait for each other in a cycle: what comes later is a part `<name>_2`.

    Args:
        part: nodes with their parts, parents first.

    Raises:
        ConfigError: there is another part of that name.
    """
    inside = {id_: [p for p in parents[id_] if p in part] for id_ in part}
    paths = acyclic_groups({id_: (name,) for id_, name in part.items()}, inside)
    found = {id_: path[0] for id_, path in paths.items()}
    for id_, name in found.items():
        if name != part[id_] and name in part.values():
            raise ConfigError(
                f"cycles='cut' would call a later part of {part[id_]!r} {name!r}, as another "
                "part is called; give that one another name"
            )
    return found


def order_of(
    project: str, part: Mapping[str, str], parents: Mapping[str, Iterable[str]]
) -> dict[str, set[str]]:
    """Return the parts that each part reads from; parts in an order in which they may run.

    Raises:
        ConfigError: parts read from each other in a cycle; the text names the way round.
    """
    makers: dict[str, set[str]] = {name: set() for name in sorted(set(part.values()))}
    example: dict[tuple[str, str], tuple[str, str]] = {}
    for id_, mine in part.items():
        for parent in parents[id_]:
            other = part.get(parent, mine)
            if other != mine:
                makers[mine].add(other)
                edge = (parent, id_)
                example[other, mine] = min(edge, example.get((other, mine), edge))
    try:
        order = list(_sorted(makers))
    except CycleError as error:
        raise ConfigError(_cycle(project, error.args[1], example)) from None
    return {name: makers[name] for name in order}


def _sorted(makers: Mapping[str, Iterable[str]]) -> Iterable[str]:
    sorter = TopologicalSorter(makers)
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order


def _cycle(
    project: str, way: Sequence[str], example: Mapping[tuple[str, str], tuple[str, str]]
) -> str:
    steps = [
        f"{reader} ({after}) reads {read} ({before})"
        for before, after in pairwise(way)
        for read, reader in [example[before, after]]
    ]
    return (
        f"project {project!r} cannot be split like this: its parts would wait for each other in a "
        f"cycle, {' -> '.join(way)}: {'; '.join(steps)}. Move one of these nodes to the part of "
        "its neighbour (the same schedule, tag, ...), split by something else, or pass "
        "cycles='cut' or split_by='none'"
    )
