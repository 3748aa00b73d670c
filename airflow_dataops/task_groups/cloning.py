"""Operators by the thousand: one built by Airflow, the others copied from it.

Building an operator takes Airflow about 0.3 ms, the same work each time for operators that
differ only in a few arguments. Copying one takes a few microseconds. It leans on Airflow's
internals, so each kind is checked first: the second operator is built by Airflow as well, and
unless the copy would have been equal, that kind goes on being built by Airflow.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.param import ParamsDict

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import DAG, BaseOperator, TaskGroup

_KWARGS = "_BaseOperator__init_kwargs"
_PLAIN = frozenset({list, dict, set})
_EDGES = ("upstream_task_ids", "downstream_task_ids")


class Mould:
    """Makes operators of one class that share all but a few arguments."""

    def __init__(self, dag: DAG, build: Callable[..., BaseOperator]) -> None:
        """`build` takes the arguments that differ and builds an operator the ordinary way."""
        self._dag = dag
        self._build = build
        self._first: BaseOperator | None = None
        self._state: dict[str, Any] = {}
        self._containers: list[tuple[str, Callable[[], Any]]] = []
        self._is_trusted: bool | None = None

    def make(self, own: dict[str, Any]) -> BaseOperator:
        """Return an operator, entered into its DAG and its group.

        `own` are the arguments that differ, `task_id` and `task_group` among them.
        """
        if self._first is None:
            self._first = self._build(**own)
            self._containers = containers_of(self._first)
            self._state = dict(self._first.__dict__)
            return self._first
        if self._is_trusted is None:
            built = self._build(**own)
            copied = self._copied(self._first, own)
            self._is_trusted = _is_same(copied, built) and _is_entered(built, self._dag)
            return built
        if not self._is_trusted:
            return self._build(**own)
        operator = self._copied(self._first, own)
        self._enter(operator, own["task_group"])
        return operator

    def _copied(self, first: BaseOperator, own: dict[str, Any]) -> BaseOperator:
        """Return an operator like `first` but for `own`, without edges, in no DAG yet."""
        operator: BaseOperator = object.__new__(type(first))
        state = operator.__dict__
        state.update(self._state)
        state.update(own)
        state["task_id"] = own["task_group"].child_id(own["task_id"])
        for name, copied in self._containers:
            if name not in own:
                state[name] = copied()
        for name in _EDGES:
            state[name] = set()
        state[_KWARGS] = self._state[_KWARGS] | own
        return operator

    def _enter(self, operator: BaseOperator, task_group: TaskGroup) -> None:
        used, task_id = task_group.used_group_ids, operator.task_id
        if task_id in used:
            # Let Airflow say what it says about that.
            self._dag.add_task(operator)
        self._dag.task_dict[task_id] = operator
        task_group.children[task_id] = operator
        used.add(task_id)


def containers_of(operator: BaseOperator) -> list[tuple[str, Callable[[], Any]]]:
    """Name the attributes that two operators must not share, each with what makes a copy.

    They are those that can be changed in place.
    """
    mutable = (list, dict, set, ParamsDict)
    state = {
        name: value
        for name, value in operator.__dict__.items()
        if isinstance(value, mutable) and name not in {_KWARGS, *_EDGES}
    }
    return [(name, _copier(value)) for name, value in state.items()]


def _copier(value: Any) -> Callable[[], Any]:
    if type(value) is ParamsDict and not value:
        return ParamsDict
    return value.copy if type(value) in _PLAIN else partial(copy.copy, value)


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
