"""On a worker, only what runs is built; the rest when somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import get_parsing_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_dataops.core.plan import PlannedTask


def is_wanted(dag_id: str) -> bool:
    """Tell whether this process wants a DAG: the dag-processor all, a worker the one it runs."""
    wanted = get_parsing_context().dag_id
    return wanted is None or wanted == dag_id


def wanted_task(dag_id: str, owns: Callable[[str], bool]) -> str | None:
    """Return the id of the one task to build, empty for none, None for all.

    A worker that runs a task of somebody else's in the same DAG gets everything: operators
    that skip or branch look at what is downstream of them.

    Args:
        owns: tells whether a task id is one of ours.
    """
    context = get_parsing_context()
    if context.dag_id is None:
        return None
    if context.dag_id != dag_id:
        return ""
    task_id = context.task_id
    return task_id if task_id is not None and owns(task_id) else None


class LazyTasks(dict[str, Any]):
    """A DAG's tasks by id, of which ours are built when they are asked for by name."""

    def __init__(self, built: dict[str, Any]) -> None:
        super().__init__(built)
        self.builders: list[Callable[[str], bool]] = []
        """Each builds a task of that id into the DAG, and tells whether there is one."""
        self.plans: list[Callable[[], Iterable[PlannedTask]]] = []
        """Each tells the tasks of one plan, built or not."""
        self._building: set[str] = set()

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or self._try(key)

    def __missing__(self, key: str) -> Any:
        if self._try(key):
            return super().__getitem__(key)
        raise KeyError(key)

    def _try(self, key: object) -> bool:
        # Airflow asks whether an id is taken while its task is being built.
        if not isinstance(key, str) or key in self._building:
            return False
        self._building.add(key)
        try:
            return any(build(key) for build in self.builders)
        finally:
            self._building.discard(key)
