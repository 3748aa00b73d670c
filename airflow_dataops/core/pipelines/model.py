"""What a file of pipelines says once it was checked: plain data, from which DAGs are built.

Values of arguments stay as they were written. Those that stand for an object are mappings with one
key that begins with `$`; see `core.pipelines.references`.
"""

from __future__ import annotations

from typing import Any

from airflow_dataops.core.model import Struct
from airflow_dataops.core.pipelines.faults import Place


class Task(Struct, frozen=True, kw_only=True):
    """A task, or what a function that makes a group of tasks is called with.

    Attributes:
        id: full id, with those of the groups around it that lend theirs.
        name: without.
        group: full id of the group around it; empty for none.
        operator: import path of an operator's class, a decorated function, a function to run, or
            a function that makes a group.
        arguments: of the operator, as written; of those in `referring` some part stands for an
            object.
        expand: mapped arguments; None where the task is not mapped.
        expand_kwargs: a list of mappings of arguments, or a reference; None for none.
        upstream: full ids of tasks and groups that come first.
        setup: whether it is a setup.
        teardown: full ids of the setups of a teardown; None where it is none.
        on_failure_fail_dagrun: whether the failure of a teardown fails the run.
        slas: what `set_sla` takes, each.
        at: its place in the file.
        path: its JSON path.
    """

    id: str
    name: str
    group: str = ""
    operator: str
    arguments: dict[str, Any] = {}
    referring: tuple[str, ...] = ()
    expand: dict[str, Any] | None = None
    expand_kwargs: Any = None
    upstream: tuple[str, ...] = ()
    setup: bool = False
    teardown: tuple[str, ...] | None = None
    on_failure_fail_dagrun: bool = False
    slas: tuple[dict[str, Any], ...] = ()
    at: Place
    path: str


class Group(Struct, frozen=True, kw_only=True):
    """A group of tasks.

    Attributes:
        id, name, group, upstream, slas, at, path: as of a task.
        settings: what Airflow's `TaskGroup` takes.
    """

    id: str
    name: str
    group: str = ""
    settings: dict[str, Any] = {}
    upstream: tuple[str, ...] = ()
    slas: tuple[dict[str, Any], ...] = ()
    at: Place
    path: str


class Pipeline(Struct, frozen=True, kw_only=True):
    """One DAG.

    Attributes:
        dag_id: its id.
        settings: what Airflow's `DAG` takes besides, as written.
        schedule: see `core.pipelines.schedules`; None for none.
        timezone: of schedules and dates that name none.
        own_defaults: names of the default arguments that the file itself has.
        groups, tasks: in the order of the file.
        slas: what `set_sla` takes, each.
        at: the place of the file that it begins at.
    """

    dag_id: str
    settings: dict[str, Any] = {}
    schedule: Any = None
    timezone: str | None = None
    own_defaults: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    tasks: tuple[Task, ...] = ()
    slas: tuple[dict[str, Any], ...] = ()
    at: Place
