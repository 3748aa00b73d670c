"""Operators of pipelines by the thousand: copied where a copy was seen to be equal.

To build an operator takes Airflow some 0.2 ms, most of it the same work for operators of one class
that differ in a few arguments; to copy one takes a twentieth. But anybody's constructor may do
anything. So the first time that a host meets a task, its operator is built by Airflow and compared,
attribute by attribute, with a copy of the family's model. Where they were equal, that is kept with
the pipeline, and later processes copy: each builds the same model, by Airflow, once. What a copy
depends on is part of the family: the class and the files of its source, the names of the arguments,
all that every operator takes, and the DAG's defaults.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.sdk import BaseOperator

from airflow_dataops import __version__
from airflow_dataops.adapters.pipeline_store import Model
from airflow_dataops.task_groups.cloning import enter
from airflow_dataops.task_groups.containers import EDGES, INIT_KWARGS, containers_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import DAG, TaskGroup

    from airflow_dataops.core.pipelines.model import Pipeline, Task

    Build = Callable[[DAG, dict[str, Any]], BaseOperator]
    """Builds an operator in a DAG the ordinary way, of arguments as a file has them."""

_OF_DEFAULTS = ("default_args", "owner", "params", "start_date", "end_date")
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class Copies:
    """The models of one process."""

    def __init__(self) -> None:
        self._models: dict[tuple[bytes, bytes], _Copier] = {}
        self._chosen: dict[bytes, Model] = {}

    def of(self, pipeline: Pipeline, make_dag: Callable[[], DAG]) -> DagCopies:
        """Return what copies the operators of one DAG; `make_dag` makes another like it."""
        return DagCopies(self, pipeline, make_dag)

    def model_for(self, key: bytes, own: dict[str, Any]) -> Model:
        """Return the model of a family; the first task's arguments make it."""
        return self._chosen.setdefault(key, Model(key=key, own=own))

    def copier(self, model: Model, make: Callable[[], BaseOperator]) -> _Copier:
        """Return what copies a model, which is built when it is first asked for."""
        self._chosen.setdefault(model.key, model)
        name = (model.key, _encode(model.own))
        if name not in self._models:
            self._models[name] = _Copier(make())
        return self._models[name]


class DagCopies:
    """Copies the operators of one DAG."""

    def __init__(self, copies: Copies, pipeline: Pipeline, make_dag: Callable[[], DAG]) -> None:
        self._copies = copies
        self._make_dag = make_dag
        settings = {key: pipeline.settings.get(key) for key in _OF_DEFAULTS}
        self._defaults = _encode((settings, pipeline.timezone))

    def family(self, kind: type[BaseOperator], task: Task) -> bytes:
        """Return the key of a task's family."""
        every = _every()
        shared = {name: value for name, value in task.arguments.items() if name in every}
        told = _encode((_code(kind), sorted(task.arguments), shared))
        return hashlib.sha256(told + self._defaults).digest()[:16]

    def copied(
        self, model: Model, task: Task, own: dict[str, Any], place: dict[str, Any], build: Build
    ) -> BaseOperator:
        """Return a task's operator, copied from a model and entered into its DAG and group."""
        operator = self._copier(model, task, build).copied(own, place)
        enter(operator, place["dag"], place["task_group"])
        return operator

    def model_of(
        self, key: bytes, task: Task, own: dict[str, Any], built: BaseOperator, build: Build
    ) -> Model | None:
        """Return the model of which a copy equals an operator that was built; None for none."""
        every = _every()
        plain = {name: value for name, value in task.arguments.items() if name not in every}
        model = self._copies.model_for(key, plain)
        place = {"task_id": task.name, "dag": built.dag, "task_group": built.task_group}
        copied = self._copier(model, task, build).copied(own, place)
        return model if _is_same(copied, built) else None

    def _copier(self, model: Model, task: Task, build: Build) -> _Copier:
        def make() -> BaseOperator:
            return build(self._make_dag(), {**task.arguments, **model.own})

        return self._copies.copier(model, make)


class _Copier:
    def __init__(self, model: BaseOperator) -> None:
        self._class = type(model)
        self._state = dict(model.__dict__)
        self._kwargs = self._state[INIT_KWARGS]
        self._containers = containers_of(self._state)

    def copied(self, own: dict[str, Any], place: dict[str, Any]) -> BaseOperator:
        """Return an operator like the model but for `own`, in no DAG yet."""
        operator: BaseOperator = object.__new__(self._class)
        state = operator.__dict__
        state.update(self._state)
        for name, copied in self._containers:
            state[name] = copied()
        state.update(own)
        for name in EDGES:
            state[name] = set()
        group: TaskGroup = place["task_group"]
        state["task_id"] = group.child_id(place["task_id"])
        state["task_group"], state["_dag"] = group, place["dag"]
        state[INIT_KWARGS] = {**self._kwargs, **own, **place}
        return operator


def _is_same(copied: BaseOperator, built: BaseOperator) -> bool:
    try:
        return bool(copied.__dict__ == built.__dict__)
    except Exception:  # noqa: BLE001 - anybody's comparison
        return False


@cache
def _every() -> frozenset[str]:
    """Return the arguments that every operator takes."""
    return frozenset(inspect.signature(BaseOperator.__init__).parameters)


@cache
def _code(kind: type) -> str:
    """Return what changes with the source of a class."""
    import airflow

    files = {
        module.__file__: None
        for each in kind.__mro__
        if (module := sys.modules.get(each.__module__)) and getattr(module, "__file__", None)
    }
    marks = [(file, stat.st_mtime_ns, stat.st_size) for file in files if (stat := _stat(file))]
    told = (kind.__module__, kind.__qualname__, airflow.__version__, __version__, marks)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


def _stat(file: str | None) -> os.stat_result | None:
    try:
        return os.stat(file) if file else None
    except OSError:
        return None
