"""Plan -> operators and their edges, inside a DAG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import TaskGroup

from airflow_dataops.task_groups.operators import make_operator

if TYPE_CHECKING:
    from airflow.sdk import DAG, BaseOperator

    from airflow_dataops.core.plan import Plan
    from airflow_dataops.task_groups.factory import Planned


def add_tasks(planned: Planned, dag: DAG, parent: TaskGroup) -> None:
    """Add all tasks of a plan to a DAG, inside `parent`.

    Groups of the plan do not go into task ids, so that a model keeps its history when it
    moves to another folder or layer; the id of `parent` does, as in Airflow.
    """
    plan = planned.plan
    groups = _Groups(plan, dag, parent)
    operators = {
        task.id: make_operator(
            task,
            planned.project,
            planned.warehouse,
            task_id=parent.child_id(task.id),
            dag=dag,
            task_group=groups.at(task.group),
        )
        for task in plan.tasks.values()
    }
    for task in plan.tasks.values():
        for upstream in task.upstream:
            _connect(operators[upstream], operators[task.id])


def _connect(first: BaseOperator, then: BaseOperator) -> None:
    """Draw one edge. `first >> then` does the same and walks over the whole DAG each time."""
    first.downstream_task_ids.add(then.task_id)
    then.upstream_task_ids.add(first.task_id)


class _Groups:
    """The TaskGroups below a parent, each made when it is first asked for."""

    def __init__(self, plan: Plan, dag: DAG, parent: TaskGroup) -> None:
        self._task_ids = {parent.child_id(id_) for id_ in plan.tasks}
        self._dag = dag
        self._parent = parent
        self._made: dict[tuple[str, ...], TaskGroup] = {(): parent}

    def at(self, path: tuple[str, ...]) -> TaskGroup:
        """Return the group at a path of names."""
        if path not in self._made:
            self._made[path] = TaskGroup(
                group_id=self._free_id("__".join(path)),
                group_display_name=path[-1],
                prefix_group_id=False,
                parent_group=self.at(path[:-1]),
                dag=self._dag,
            )
        return self._made[path]

    def _free_id(self, wanted: str) -> str:
        """Choose an id that no task or other group has: a model may be called `marts`.

        Returns the id without the parent's, which Airflow puts before it where the parent
        is the group around it.
        """
        used = self._parent.used_group_ids | self._task_ids
        while self._parent.child_id(wanted) in used:
            wanted += "_group"
        return wanted
