"""Operators by the thousand: one built by Airflow, the others copied from it.

Building an operator takes Airflow about 0.3 ms, the same work each time for operators that
differ only in a few arguments. Copying one takes a few microseconds. It leans on Airflow's
internals, so each kind and each setting is checked first: an operator is built by Airflow as
well, and unless the copy would have been equal, that goes on being built by Airflow.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions._internal.setup_teardown import SetupTeardownContext
from airflow.sdk.definitions.taskgroup import TaskGroup

from airflow_dataops.task_groups.containers import EDGES, INIT_KWARGS, containers_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import DAG, BaseOperator

    from airflow_dataops.task_groups.containers import Containers
    from airflow_dataops.task_groups.settings import Settings

_BASE = frozenset({""})
"""Stands for all that is no setting."""


class OperatorTemplate:
    """Makes operators of one class that share all but their settings and a few arguments."""

    def __init__(
        self, dag: DAG, build: Callable[..., BaseOperator], *, is_lasting: bool = True
    ) -> None:
        """Learn nothing yet.

        Args:
            build: takes the arguments that differ and builds an operator the ordinary way.
            is_lasting: whether many operators are to be expected; a worker makes one.
        """
        self._dag = dag
        self._build = build
        self._is_lasting = is_lasting
        self._is_used = False
        self._state: dict[str, Any] = {}
        self._containers: Containers = []
        self._class: type[BaseOperator]
        self._trusted: set[str] = set()
        self._refused: set[str] = set()

    def make(self, own: dict[str, Any], settings: Settings) -> BaseOperator:
        """Return an operator, entered into its DAG and its group.

        `own` are the arguments that differ from task to task, `task_id` and `task_group` among
        them; they win over `settings`.
        """
        is_once = settings.rest or not self._is_lasting
        if SetupTeardownContext.active or (is_once and not self._is_used):
            # Most templates of settings that need the constructor are used once.
            self._is_used = True
            return self._built(own, settings)
        needed = settings.names | _BASE
        if needed <= self._trusted:
            operator = self._copied(own, settings)
            enter(operator, self._dag, own["task_group"])
            return operator
        if needed & self._refused:
            return self._built(own, settings)
        return self._checked(own, settings, needed)

    def _built(self, own: dict[str, Any], settings: Settings) -> BaseOperator:
        return self._build(dag=self._dag, **(settings.arguments | own))

    def _checked(
        self, own: dict[str, Any], settings: Settings, needed: frozenset[str]
    ) -> BaseOperator:
        """Return an operator that Airflow built, and learn whether a copy would have done."""
        if not self._state:
            self._learn(own, settings)
        built = self._built(own, settings)
        copied = self._copied(own, settings)
        is_same = _is_same(copied, built) and _is_entered(built, self._dag)
        (self._trusted if is_same else self._refused).update(needed - self._trusted)
        return built

    def _learn(self, like: dict[str, Any], settings: Settings) -> None:
        """Build the operator that is copied: without settings, in no DAG of the user's."""
        aside = copy.copy(self._dag)
        aside.task_dict = {}
        root = TaskGroup.create_root(aside)
        root.default_args = like["task_group"].default_args
        object.__setattr__(aside, "task_group", root)
        place = {"dag": aside, "task_group": root}
        prototype = self._build(**(settings.rest | like | place))
        self._class = type(prototype)
        self._state = prototype.__dict__ | {"_dag": self._dag}
        self._containers = containers_of(self._state)
        self._state[INIT_KWARGS] = self._state[INIT_KWARGS] | {"dag": self._dag}

    def _copied(self, own: dict[str, Any], settings: Settings) -> BaseOperator:
        """Return an operator like the prototype, without edges, in no DAG yet."""
        operator: BaseOperator = object.__new__(self._class)
        state = operator.__dict__
        state.update(self._state)
        state.update(settings.attributes)
        state.update(own)
        state["task_id"] = own["task_group"].child_id(own["task_id"])
        for name, copied in self._containers:
            if name not in own and name not in settings.attributes:
                state[name] = copied()
        for name, copied in settings.containers:
            if name not in own:
                state[name] = copied()
        for name in EDGES:
            state[name] = set()
        state[INIT_KWARGS] = self._state[INIT_KWARGS] | settings.kept | own
        return operator


def enter(operator: BaseOperator, dag: DAG, group: TaskGroup) -> None:
    """Enter an operator into its DAG and group, as Airflow does when it is built."""
    task_id = operator.task_id
    if task_id in group.used_group_ids or task_id in dag.task_dict:
        # Let Airflow say what it says about that.
        dag.add_task(operator)
    dag.task_dict[task_id] = operator
    group.children[task_id] = operator
    group.used_group_ids.add(task_id)


def _is_same(copied: BaseOperator, built: BaseOperator) -> bool:
    ours, theirs = copied.__dict__, built.__dict__
    return (
        type(copied) is type(built)
        and ours.keys() == theirs.keys()
        and all(ours[name] is theirs[name] or ours[name] == theirs[name] for name in ours)
    )


def _is_entered(built: BaseOperator, dag: DAG) -> bool:
    """Tell whether Airflow enters an operator where we would."""
    group = built.task_group
    return (
        group is not None
        and dag.task_dict.get(built.task_id) is built
        and group.children.get(built.task_id) is built
        and group.used_group_ids is dag.task_group.used_group_ids
        and built.task_id in group.used_group_ids
    )
