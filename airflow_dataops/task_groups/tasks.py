"""Plan -> operators and their edges, inside a DAG."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import TaskGroup, get_parsing_context
from airflow.sdk.exceptions import AirflowException
from msgspec.structs import replace

from airflow_dataops.adapters.collection import no_collection
from airflow_dataops.core.assets import encoded
from airflow_dataops.core.plan import Engine, TaskKind, arguments_of
from airflow_dataops.core.plan.names import LONGEST_GROUP, LONGEST_ID, fitted
from airflow_dataops.errors import ConfigError
from airflow_dataops.task_groups.cloning import OperatorTemplate
from airflow_dataops.task_groups.executors import check_executor
from airflow_dataops.task_groups.operators import (
    build_operator,
    dbt_task_operator,
    inputs_operator,
    operator_class,
    outcome_operator,
    own_arguments,
)
from airflow_dataops.task_groups.partial import LazyTasks, wanted_task
from airflow_dataops.task_groups.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from airflow.sdk import DAG, BaseOperator

    from airflow_dataops.core.plan import PlannedTask
    from airflow_dataops.core.sla.policies import Sla
    from airflow_dataops.operators.node import NodeOperator
    from airflow_dataops.planning.manifest import Planned
    from airflow_dataops.task_groups.settings import Settings

_LONGEST_PREFIX = 150
"""Letters of the group's id before the ids of tasks, which then stay readable."""


def add_tasks(planned: Planned, dag: DAG, parent: TaskGroup) -> None:
    """Add the tasks of a plan to a DAG, inside `parent`.

    Groups of the plan do not go into task ids, so that a model keeps its history when it
    moves to another folder or layer; the id of `parent` does, as in Airflow.

    On a worker only the task that runs is built, with the ids of what it waits for; other
    tasks when somebody asks the DAG for them by name.
    """
    builder = _Builder(planned, dag, parent)
    wanted = wanted_task(dag.dag_id, builder.owns)
    if wanted is None:
        with no_collection():
            builder.add_all()
        builder.add_slas()
        return
    if not isinstance(dag.task_dict, LazyTasks):
        dag.task_dict = LazyTasks(dag.task_dict)
    dag.task_dict.builders.append(builder.add_one)
    dag.task_dict.plans.append(lambda: planned.plan.tasks().values())
    if wanted:
        dag.get_task(wanted)


class _Builder:
    """Builds operators into one group of one DAG."""

    def __init__(self, planned: Planned, dag: DAG, parent: TaskGroup) -> None:
        self._plan = planned.plan
        self._warehouse = planned.warehouse
        self._layers = planned.layers
        self._dag = dag
        self._parent = parent
        self._prefix = parent.child_id("")
        if len(self._prefix) > _LONGEST_PREFIX:
            raise ConfigError(
                f"task group {self._prefix[:-1]!r}: its id goes before the ids of its tasks, and "
                f"leaves no room for them; give it one of at most {_LONGEST_PREFIX - 1} letters, "
                "or prefix_group_id=False"
            )
        self._groups: dict[tuple[str, ...], TaskGroup] = {(): parent}
        self._task_ids: set[str] = set()
        self._arguments: dict[int, dict[str, Any]] = {}
        self._settings: dict[int, Settings] = {}
        self._templates: dict[tuple[object, ...], OperatorTemplate] = {}
        self._is_partial = get_parsing_context().dag_id is not None

    def owns(self, task_id: str) -> bool:
        """Tell whether a task of the DAG is one of the plan."""
        return self._planned(task_id) is not None

    def add_one(self, task_id: str) -> bool:
        """Add one task; return whether the plan has it."""
        task = self._planned(task_id)
        if task is None:
            return False
        operator = self._make(task)
        operator.upstream_task_ids.update(self._in_dag(task.upstream))
        return True

    def add_all(self) -> None:
        """Add all tasks and edges.

        Edges are entered directly: `first >> then` walks over the whole DAG each time.

        Raises:
            ConfigError: Airflow does not take the arguments of some operators; tells all, each
                once for the tasks that share them.
        """
        tasks = self._plan.tasks()
        self._task_ids = set(self._in_dag(tasks))
        refused: dict[tuple[object, ...], ConfigError] = {}
        for task in tasks.values():
            alike = (task.profile, task.kind, task.engine, task.node_kind)
            if alike in refused:
                continue
            try:
                operator = self._make(task)
            except ConfigError as error:
                refused[alike] = error
                continue
            operator.upstream_task_ids.update(self._in_dag(task.upstream))
            operator.downstream_task_ids.update(self._in_dag(task.downstream))
        _raise_all(refused.values())

    def add_slas(self) -> None:
        """Give the DAG the SLAs that the project's metadata asks for."""
        entries = self._plan.slas()
        if entries:
            # No worker, and few DAGs of few models, have any.
            from airflow_dataops.slas.dag_slas import put_entries

            put_entries(self._dag, entries, self._about)

    def _about(self, sla: Sla, id_: str) -> str:
        """Return the id of a task in the DAG, or the name of a table's asset."""
        from airflow_dataops.core.sla.misses import SubjectKind

        is_asset = sla.kind is SubjectKind.ASSET
        return f"{encoded(self._warehouse.conn_id)}/{id_}" if is_asset else self._id(id_)

    def _in_dag(self, ids: Iterable[str]) -> Iterable[str]:
        return [self._id(id_) for id_ in ids] if self._prefix else ids

    def _id(self, id_: str) -> str:
        """Return the id that a task of the plan has in the DAG."""
        return fitted(self._prefix + id_)

    def _planned(self, task_id: str) -> PlannedTask | None:
        if not task_id.startswith(self._prefix):
            return None
        found = self._plan.task(task_id[len(self._prefix) :])
        if found is None and self._prefix and len(task_id) == LONGEST_ID:
            # It may have been shortened, with its group's id before it.
            all_ids = (each for each in self._plan.tasks() if self._id(each) == task_id)
            found = next((self._plan.task(each) for each in all_ids), None)
        return found

    def _make(self, task: PlannedTask) -> BaseOperator:
        """Build one operator. Raises `ConfigError` when Airflow does not take its arguments."""
        try:
            return self._operator(task)
        except (TypeError, ValueError, AttributeError, AirflowException) as error:
            profile = self._plan.profile(task.profile)
            raise ConfigError(
                f"{self._warehouse.manifest}: {profile.node}, {profile.path}: Airflow does not "
                f"take the operator arguments of task {task.id!r}: {error}. They come from "
                "operator_args, group_args, tag_args or meta.airflow"
            ) from error

    def _operator(self, task: PlannedTask) -> BaseOperator:
        arguments = self._arguments_of(task.profile)
        own = own_arguments(self._placed(task), self._warehouse, arguments)
        group = self._group(task.group)
        # Airflow puts the ids of groups before a task's, but for those of the plan.
        label = self._id(task.id)
        if group is self._parent:
            label = label.removeprefix(self._prefix)
        place = {"task_id": label, "task_group": group}
        if task.kind is TaskKind.WAIT:
            doc = {"doc_md": own["doc_md"], "dag": self._dag}
            return inputs_operator(self._plan.head, self._warehouse, arguments | doc | place)
        if task.kind is TaskKind.OUTCOME:
            doc = {"doc_md": own["doc_md"], "dag": self._dag}
            return outcome_operator(arguments | doc | place)
        if task.engine is Engine.DBT:
            own["dag"] = self._dag
            return dbt_task_operator(task, self._warehouse, arguments | own | place)
        own = {**place, "nodes": task.nodes, "fingerprint": task.fingerprint, **own}
        settings = self._settings_of(task.profile, arguments)
        return self._template(operator_class(task), group, settings).make(own, settings)

    def _placed(self, task: PlannedTask) -> PlannedTask:
        """Return a task in which other tasks go by their ids in the DAG."""
        if not (task.around and self._prefix):
            return task
        around = (replace(each, task=self._id(each.task)) for each in task.around)
        return replace(task, around=tuple(around))

    def _template(
        self, kind: type[NodeOperator], group: TaskGroup, settings: Settings
    ) -> OperatorTemplate:
        """Return what makes operators of a class, in groups of the same default arguments."""
        key = (kind, group.group_id if group.default_args else None, settings.alike)
        if key not in self._templates:
            build = partial(build_operator, kind, self._warehouse)
            self._templates[key] = OperatorTemplate(
                self._dag, build, is_lasting=not self._is_partial
            )
        return self._templates[key]

    def _settings_of(self, profile: int, arguments: dict[str, Any]) -> Settings:
        if profile not in self._settings:
            where = f"the task of {self._plan.profile(profile).node}"
            self._settings[profile] = settings_of(arguments, self._dag.params, where)
        return self._settings[profile]

    def _arguments_of(self, profile: int) -> dict[str, Any]:
        if profile not in self._arguments:
            found = arguments_of(self._plan.profile(profile), self._layers)
            check_executor(found.get("executor"))
            self._arguments[profile] = found
        return self._arguments[profile]

    def _group(self, path: tuple[str, ...]) -> TaskGroup:
        """Return the group at a path of names, made when it is first asked for."""
        if path not in self._groups:
            self._groups[path] = TaskGroup(
                group_id=self._free_id(fitted("__".join(path), self._room_for_groups())),
                group_display_name=path[-1],
                prefix_group_id=False,
                parent_group=self._group(path[:-1]),
                dag=self._dag,
            )
        return self._groups[path]

    def _room_for_groups(self) -> int:
        return LONGEST_GROUP - len(self._prefix) - len("_group")

    def _free_id(self, wanted: str) -> str:
        """Choose an id that no task or other group has: a model may be called `marts`.

        Returns the id without the parent's, which Airflow puts before it where the parent
        is the group around it.
        """
        used = self._parent.used_group_ids | self._task_ids
        while self._prefix + wanted in used:
            wanted += "_group"
        return wanted


def _raise_all(errors: Collection[ConfigError]) -> None:
    if len(errors) == 1:
        raise next(iter(errors))
    if errors:
        lines = "".join(f"\n  - {error}" for error in errors)
        raise ConfigError(f"{len(errors)} kinds of tasks cannot be made:{lines}")
