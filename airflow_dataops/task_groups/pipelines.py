"""The tasks of a pipeline -> operators, groups and edges, inside a DAG."""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from airflow.sdk import BaseOperator, TaskGroup, XComArg, get_parsing_context
from airflow.sdk.bases.decorator import _TaskDecorator
from airflow.sdk.definitions.mappedoperator import MappedOperator

from airflow_dataops.core.pipelines.faults import Fault, PipelineError
from airflow_dataops.core.pipelines.names import FACTORIES
from airflow_dataops.core.pipelines.report import near
from airflow_dataops.errors import ConfigError, DataOpsError
from airflow_dataops.task_groups.objects import Objects, import_object

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from airflow_dataops.adapters.pipeline_store import OpenedPipelines
    from airflow_dataops.core.pipelines.model import Group, Pipeline, Task
    from airflow_dataops.task_groups.copies import Build, DagCopies

    Node = BaseOperator | MappedOperator | TaskGroup

_GIVEN = "_BaseOperator__init_kwargs"
"""Where Airflow keeps what an operator was made of, defaults among it."""
_OF_GROUP = {"doc": "doc_md", "display_name": "group_display_name", "prefix": "prefix_group_id"}


def add_pipeline(pipeline: Pipeline, dag: DAG, source: str, copying: Copying | None = None) -> None:
    """Add all tasks of a pipeline to a DAG.

    Args:
        copying: copies operators; None to build each.

    Raises:
        PipelineError: operators that cannot be imported, or that Airflow refuses; all of them.
    """
    _Builder(pipeline, dag, source, copying).build()


class Copying(NamedTuple):
    """What is needed to copy the operators of a DAG.

    Attributes:
        opened: the file, with what was copied before.
    """

    copies: DagCopies
    opened: OpenedPipelines


class _Builder:
    def __init__(self, pipeline: Pipeline, dag: DAG, source: str, copying: Copying | None) -> None:
        self._copying = copying
        self._pipeline = pipeline
        self._dag = dag
        self._source = source
        self._objects = Objects(pipeline.timezone, self._output)
        self._tasks = {task.id: task for task in pipeline.tasks}
        self._nodes: dict[str, Node] = {}
        self._outputs: dict[str, Any] = {}
        self._faults: list[Fault] = []

    def build(self) -> None:
        for group in self._pipeline.groups:
            self._nodes[group.id] = self._group(group)
        for task in self._pipeline.tasks:
            if task.id not in self._nodes:
                self._try(task)
        self._check_defaults()
        if self._faults:
            raise PipelineError(self._source, self._faults)
        self._connect()
        self._add_slas()

    def _all(self) -> list[Task | Group]:
        return [*self._pipeline.groups, *self._pipeline.tasks]

    def _try(self, task: Task) -> None:
        """Build a task; whatever its operator does when it is made, others are told of as well."""
        try:
            self._nodes[task.id] = self._task(task)
        except Exception as error:  # noqa: BLE001 - anybody's code
            why = str(error) if isinstance(error, DataOpsError) else f"{_type(error)}: {error}"
            told = f"The task {task.id!r} cannot be made of {task.operator}: {why}"
            self._faults.append(Fault(rule="operator", message=told, place=task.at, path=task.path))

    def _check_defaults(self) -> None:
        """Refuse default arguments that no operator took: Airflow says nothing of them."""
        wanted = set(self._pipeline.own_defaults) - _settings()
        if not wanted or self._faults:
            return
        for node in self._nodes.values():
            if isinstance(node, TaskGroup):
                continue
            given = node.partial_kwargs if isinstance(node, MappedOperator) else vars(node)[_GIVEN]
            wanted -= set(given)
        for name in sorted(wanted):
            told = f"No operator takes the default argument {name!r}{near(name, _settings())}"
            at, path = self._pipeline.at, f"$.default_args.{name}"
            self._faults.append(Fault(rule="unknown-argument", message=told, place=at, path=path))

    def _group(self, group: Group) -> TaskGroup:
        settings = {_OF_GROUP.get(key, key): value for key, value in group.settings.items()}
        if "default_args" in settings:
            settings["default_args"] = self._objects.arguments(settings["default_args"])
        return TaskGroup(
            group_id=group.name, dag=self._dag, parent_group=self._parent(group), **settings
        )

    def _parent(self, node: Task | Group) -> TaskGroup:
        if not node.group:
            return self._dag.task_group
        return cast("TaskGroup", self._nodes[node.group])

    def _task(self, task: Task) -> Node:
        kind = import_object(task.operator)
        arguments = self._objects.arguments(task.arguments, task.referring)
        if task.operator in FACTORIES:
            with self._dag, self._parent(task):
                made: TaskGroup = kind(group_id=task.name, **arguments)
            return made
        if inspect.isclass(kind):
            if not issubclass(kind, BaseOperator):
                raise ConfigError("it is no operator")
            return self._finished(task, self._operator(kind, task, arguments))
        return self._finished(task, self._decorated(kind, task, arguments))

    def _operator(self, kind: type[BaseOperator], task: Task, arguments: dict[str, Any]) -> Any:
        place: dict[str, Any] = {
            "task_id": task.name,
            "dag": self._dag,
            "task_group": self._parent(task),
        }
        if task.expand is not None or task.expand_kwargs is not None:
            return self._expanded(kind.partial(**arguments, **place), task)
        if self._copying is None or task.referring or self._has_own_defaults(task):
            return kind(**arguments, **place)
        return self._copied(self._copying, kind, task, arguments, place)

    def _copied(
        self,
        copying: Copying,
        kind: type[BaseOperator],
        task: Task,
        arguments: dict[str, Any],
        place: dict[str, Any],
    ) -> BaseOperator:
        """Return an operator that is copied; or built, where that was not seen to be the same."""
        copies, opened = copying
        key = copies.family(kind, task)
        own = {name: value for name, value in arguments.items() if name not in _settings()}
        model = opened.model(self._pipeline.dag_id, task.id)
        if model is not None and model.key == key:
            return copies.copied(model, task, own, place, self._build(kind))
        built = kind(**arguments, **place)
        found = copies.model_of(key, task, own, built, self._build(kind))
        if found != model or not opened.is_seen(self._pipeline.dag_id, task.id):
            opened.learn(self._pipeline.dag_id, task.id, found)
        return built

    def _build(self, kind: type[BaseOperator]) -> Build:
        def build(dag: DAG, given: dict[str, Any]) -> BaseOperator:
            arguments = self._objects.arguments(given, ())
            return kind(**arguments, task_id="model", dag=dag, task_group=dag.task_group)

        return build

    def _has_own_defaults(self, task: Task) -> bool:
        """Tell whether a group around a task has default arguments of its own."""
        return bool(task.group and self._parent(task).default_args != self._dag.default_args)

    def _decorated(self, function: Any, task: Task, arguments: dict[str, Any]) -> Any:
        """Call a function that `@task` decorates; another one as if it were."""
        if not isinstance(function, _TaskDecorator):
            from airflow.sdk import task as decorate

            function = decorate(function)
        takes = inspect.signature(function.function).parameters
        takes_any = any(each.kind is each.VAR_KEYWORD for each in takes.values())
        settings = {
            name: value
            for name, value in arguments.items()
            if name not in takes and not (takes_any and name not in _settings())
        }
        given = {name: value for name, value in arguments.items() if name not in settings}
        called = function.override(task_id=task.name, **settings)
        with self._dag, self._parent(task):
            if task.expand is None and task.expand_kwargs is None:
                return called(**given)
            return self._expanded(called.partial(**given) if given else called, task)

    def _expanded(self, partial: Any, task: Task) -> Any:
        if task.expand_kwargs is not None:
            return partial.expand_kwargs(self._objects.of(task.expand_kwargs))
        return partial.expand(**self._objects.of(task.expand))

    def _finished(self, task: Task, made: Any) -> Node:
        """Remember what a task returns; make it a setup or a teardown."""
        self._outputs[task.id] = made if isinstance(made, XComArg) else None
        operator = cast("Any", made).operator if isinstance(made, XComArg) else made
        if task.setup:
            operator.as_setup()
        if task.teardown is not None:
            operator.as_teardown(on_failure_fail_dagrun=task.on_failure_fail_dagrun)
        return operator  # type: ignore[no-any-return]

    def _output(self, id_: str, key: str | None) -> Any:
        """Return the output of a task, which is built if it was not."""
        if id_ not in self._nodes:
            self._nodes[id_] = self._task(self._tasks[id_])
        made = self._outputs[id_]
        if made is None:
            made = XComArg(self._nodes[id_])  # type: ignore[arg-type]
        return made if key is None else made[key]

    def _connect(self) -> None:
        """Add the edges, those inside of groups first: a group waits by its first tasks.

        Edges between tasks are entered directly: `first >> then` walks over the whole DAG.
        """
        of_groups = []
        for node in self._all():
            after: Any = self._nodes[node.id]
            for id_ in node.upstream:
                before: Any = self._nodes[id_]
                if isinstance(before, TaskGroup) or isinstance(after, TaskGroup):
                    of_groups.append((node.path.count(".tasks."), before, after))
                else:
                    after.upstream_task_ids.add(before.task_id)
                    before.downstream_task_ids.add(after.task_id)
        for task in self._pipeline.tasks:
            for id_ in task.teardown or ():
                setup: Any = self._nodes[id_]
                setup.as_setup() >> self._nodes[task.id]
        for _, before, after in sorted(of_groups, key=lambda found: -found[0]):
            before >> after

    def _add_slas(self) -> None:
        if get_parsing_context().dag_id is not None:
            # A worker runs one task, and looks at no SLA.
            return
        # Dear to import, and few pipelines have SLAs.
        from airflow_dataops.slas.setting import set_declared

        # Few pipelines have any, and to check what authors wrote is dear to import.

        for declared in self._pipeline.slas:
            set_declared(self._dag, self._dag, declared)
        for each in self._all():
            for declared in each.slas:
                set_declared(self._nodes[each.id], self._dag, declared)


@cache
def _settings() -> frozenset[str]:
    """Return the arguments that every operator takes."""
    return frozenset(inspect.signature(BaseOperator.__init__).parameters)


def _type(error: Exception) -> str:
    return type(error).__name__
