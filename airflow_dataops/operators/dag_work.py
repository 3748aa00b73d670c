"""What the tasks of a DAG run, whether they are built in this process or not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.plan import Part, TaskKind
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from airflow_dataops.core.execution.requests import RunRequest

log = logging.getLogger(__name__)

_NAMED = 3


def parts_of(dag: Any, task_id: str) -> Sequence[Part]:
    """Return what a task runs: its parts, or the task as its own part; nothing if not ours."""
    if dag is None or task_id not in dag.task_dict:
        return ()
    return _parts(dag.get_task(task_id))


def check_run_does_something(
    dag: Any, selected: frozenset[str] | None, request: RunRequest
) -> None:
    """Refuse a run that none of the DAG's tasks has anything to do in.

    It would be green, as tasks that a run is not for succeed.

    Args:
        selected: ids of the nodes that the run was narrowed to; None for all.

    Raises:
        ConfigError: nothing that was selected runs in this DAG, or nothing in this mode.
    """
    if dag is None:
        return
    from airflow_dataops.core.execution.parts import takes_part

    parts = [part for task in _all_tasks(dag) for part in _parts(task)]
    there = {node for part in parts for node in part.nodes}
    if any(takes_part(part.kind, node, request, selected) for part in parts for node in part.nodes):
        if missing := sorted(_runnable(selected or ()) - there):
            log.warning("Selected, and not of this DAG: %s", _some(missing))
        return
    mode = f"mode {str(request.mode)!r} has nothing to do. Choose another mode"
    if selected is None:
        raise ConfigError(f"no task of this DAG takes part: with what it runs, {mode}.")
    if there.isdisjoint(selected):
        why = (
            "none of which runs in this DAG: they are of another part of the project, or outside "
            "of what the DAG was made of. Trigger the DAG that runs them"
        )
    else:
        why = f"with which {mode}"
    raise ConfigError(f"selected are {_some(sorted(selected))}, {why}.")


def _all_tasks(dag: Any) -> Iterator[Any]:
    yield from dag.task_dict.values()
    # On a worker only the task that runs is built; the plans know the others.
    for plan in getattr(dag.task_dict, "plans", ()):
        yield from plan()


def _parts(task: Any) -> Sequence[Part]:
    kind = getattr(task, "task_kind", None) or getattr(task, "kind", None)
    if not isinstance(kind, TaskKind) or not task.nodes:
        return ()
    id_ = getattr(task, "task_id", None) or task.id
    return tuple(task.parts) or (Part(id=id_, kind=kind, nodes=tuple(task.nodes)),)


def _runnable(selected: Collection[str]) -> set[str]:
    """Leave out what has no task of its own anywhere, such as exposures."""
    return {id_ for id_ in selected if id_.partition(".")[0] in ("model", "seed", "snapshot")}


def _some(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more
