"""Groups that depend on each other in a cycle, cut into groups that do not.

Airflow cannot draw a DAG whose TaskGroups form a cycle, although its tasks do not: a
snapshot of a staging model, read by another staging model, is enough. Then the later tasks
of a group go into a second group of the same name (`staging_2`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

Path = tuple[str, ...]
Key = tuple[str, str]
"""What stands side by side on one level: (group, "") or, without a group, ("", task)."""


def acyclic_groups(
    paths: Mapping[str, Path], upstream: Mapping[str, Iterable[str]]
) -> dict[str, Path]:
    """Return the path of groups of each task, free of cycles on every level.

    Args:
        paths: path of groups by task, tasks in topological order.
        upstream: ids of the tasks that a task waits for.
    """
    if not any(paths.values()):
        return dict(paths)
    keys = {task: (path[0], "") if path else ("", task) for task, path in paths.items()}
    circular = _circular(keys, upstream)
    round_ = _rounds(keys, upstream, circular) if circular else {}
    members: dict[str, list[str]] = defaultdict(list)
    result: dict[str, Path] = {}
    for task, path in paths.items():
        if not path:
            result[task] = ()
        else:
            number = round_.get(task, 0)
            members[path[0] if number == 0 else f"{path[0]}_{number + 1}"].append(task)
    for name, tasks in members.items():
        inner = {task: paths[task][1:] for task in tasks}
        if not any(inner.values()):
            result.update(dict.fromkeys(tasks, (name,)))
            continue
        for task, rest in acyclic_groups(inner, _within(tasks, upstream)).items():
            result[task] = (name, *rest)
    return result


def _within(tasks: Collection[str], upstream: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    inside = set(tasks)
    return {task: [other for other in upstream[task] if other in inside] for task in tasks}


def _circular(keys: Mapping[str, Key], upstream: Mapping[str, Iterable[str]]) -> set[Key]:
    """Return the keys on a cycle, or between two; found by peeling off all others."""
    before: dict[Key, set[Key]] = {key: set() for key in keys.values()}
    after: dict[Key, set[Key]] = {key: set() for key in keys.values()}
    for task, key in keys.items():
        for other in upstream[task]:
            if (first := keys[other]) != key:
                before[key].add(first)
                after[first].add(key)
    _peel(before, after)
    _peel(after, before)
    return set(before) & set(after)


def _peel(before: dict[Key, set[Key]], after: dict[Key, set[Key]]) -> None:
    """Take away, again and again, what has nothing before it."""
    free = [key for key, others in before.items() if not others]
    while free:
        key = free.pop()
        del before[key]
        for then in after.pop(key):
            if then in before:
                before[then].discard(key)
                if not before[then]:
                    free.append(then)
    for others in after.values():
        others &= before.keys()


def _rounds(
    keys: Mapping[str, Key], upstream: Mapping[str, Iterable[str]], circular: set[Key]
) -> dict[str, int]:
    """Number the rounds in which circular groups take turns.

    Groups are put in the order of their mean depth, which leaves few edges that lead back; an
    edge that does starts a new round. So (round, place of the group) never falls along an edge.
    """
    place = _places(keys, upstream, circular)
    rounds: dict[str, int] = {}
    for task, key in keys.items():
        if key in circular:
            rounds[task] = max(
                (
                    rounds[other] + (place[keys[other]] > place[key])
                    for other in upstream[task]
                    if keys[other] in circular
                ),
                default=0,
            )
    return rounds


def _places(
    keys: Mapping[str, Key], upstream: Mapping[str, Iterable[str]], circular: set[Key]
) -> dict[Key, int]:
    """Sort the circular keys by how deep in the graph their tasks are on average."""
    depth: dict[str, int] = {}
    depths: dict[Key, list[int]] = defaultdict(list)
    for task, key in keys.items():
        depth[task] = 1 + max((depth[other] for other in upstream[task]), default=0)
        if key in circular:
            depths[key].append(depth[task])
    mean = {key: sum(found) / len(found) for key, found in depths.items()}
    ordered = sorted(depths, key=lambda key: (mean[key], min(depths[key]), key))
    return {key: place for place, key in enumerate(ordered)}
