"""The arguments that every operator takes, for type checkers and for people."""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any, Required, Self, TypedDict

from airflow_dataops.core.arguments import refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
    from datetime import datetime, timedelta

    from airflow.sdk import DAG, TaskGroup
    from airflow.sdk.bases.operator import TaskPostExecuteHook, TaskPreExecuteHook
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.definitions.retry_policy import RetryPolicy
    from airflow.task.priority_strategy import PriorityWeightStrategy

    Callback = Callable[[Context], None]
    Callbacks = Callback | Collection[Callback] | None

_OURS = "airflow_dataops."


class TaskSettings(TypedDict, total=False):
    """What Airflow's `BaseOperator` takes besides the task's id; see there."""

    owner: str
    email: str | Sequence[str] | None
    email_on_retry: bool
    email_on_failure: bool
    retries: int | None
    retry_delay: timedelta | float
    retry_exponential_backoff: float
    max_retry_delay: timedelta | float | None
    retry_policy: RetryPolicy | None
    start_date: datetime | None
    end_date: datetime | None
    depends_on_past: bool
    ignore_first_depends_on_past: bool
    wait_for_past_depends_before_skipping: bool
    wait_for_downstream: bool
    dag: DAG | None
    params: MutableMapping[str, Any] | None
    default_args: dict[str, Any] | None
    priority_weight: int
    weight_rule: str | PriorityWeightStrategy
    queue: str
    pool: str | None
    pool_slots: int
    sla: timedelta | None
    execution_timeout: timedelta | None
    on_execute_callback: Callbacks
    on_failure_callback: Callback | list[Callback] | None
    on_success_callback: Callbacks
    on_retry_callback: Callback | list[Callback] | None
    on_skipped_callback: Callbacks
    pre_execute: TaskPreExecuteHook | None
    post_execute: TaskPostExecuteHook | None
    trigger_rule: str
    resources: dict[str, Any] | None
    run_as_user: str | None
    map_index_template: str | None
    max_active_tis_per_dag: int | None
    max_active_tis_per_dagrun: int | None
    executor: str | None
    executor_config: dict[str, Any] | None
    do_xcom_push: bool
    multiple_outputs: bool
    inlets: Any
    outlets: Any
    task_group: TaskGroup | None
    doc: str | None
    doc_md: str | None
    doc_json: str | None
    doc_yaml: str | None
    doc_rst: str | None
    task_display_name: str | None
    logger_name: str | None
    allow_nested_operators: bool
    render_template_as_native_obj: bool | None


class TaskArguments(TaskSettings, total=False):
    """What Airflow's `BaseOperator` takes."""

    task_id: Required[str]


class SessionSettings(TaskSettings, total=False):
    """What every operator takes that works in a warehouse, besides the task's id.

    Attributes:
        metric_tags: tags that the task's metrics get besides `dag`, `task` and `owner`.
    """

    metric_tags: Mapping[str, str] | None


class SessionArguments(SessionSettings, total=False):
    """What every operator takes that works in a warehouse."""

    task_id: Required[str]


class _Signature:
    """The signature of an operator's class with all arguments it takes, for `help()`."""

    def __get__(self, instance: object, owner: type) -> inspect.Signature:
        return inspect.Signature(list(_parameters(owner).values()))


class CheckedArguments:
    """Part of an operator that refuses arguments which nobody takes, and names the nearest."""

    __signature__ = _Signature()

    def __new__(cls, *arguments: object, **given: object) -> Self:
        """Check the names first: Airflow would only say which ones are missing."""
        # A subclass of somebody else's may take more than its signature says.
        if cls.__module__.startswith(_OURS):
            task_id = given.get("task_id")
            caller = cls.__name__ if task_id is None else f"{cls.__name__} {task_id!r}"
            own = (name for name in given if not name.startswith("_airflow_"))
            refuse_unknown(caller, own, accepted(cls))
        return super().__new__(cls)


def accepted(kind: type) -> Collection[str]:
    """Return the names of all arguments that an operator's class takes."""
    return _parameters(kind).keys()


@cache
def _parameters(kind: type) -> dict[str, inspect.Parameter]:
    """Return the keyword arguments of a class and of those it passes the others on to."""
    found: dict[str, inspect.Parameter] = {}
    for each in kind.__mro__:
        if each is object or "__init__" not in vars(each):
            continue
        for name, parameter in inspect.signature(vars(each)["__init__"]).parameters.items():
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                found.setdefault(name, parameter)
    # Those without a default first, as in any signature that people write.
    return dict(sorted(found.items(), key=lambda item: item[1].default is not inspect._empty))
