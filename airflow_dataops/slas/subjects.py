"""What an SLA may be set on: Airflow's objects -> whose SLA it is, and in which DAG."""

from __future__ import annotations

from typing import Any, NamedTuple

from airflow.sdk import DAG, Asset, BaseOperator, TaskGroup, XComArg
from airflow.sdk.definitions._internal.contextmanager import DagContext
from airflow.sdk.definitions.mappedoperator import MappedOperator

from airflow_dataops.core.assets import label
from airflow_dataops.core.sla.misses import SubjectKind
from airflow_dataops.core.sla.spec import About
from airflow_dataops.errors import ConfigError


class Found(NamedTuple):
    """What an object comes to, and the DAG that carries its SLA."""

    about: About
    dag: DAG


def find_subject(given: object, dag: DAG | None = None) -> Found:
    """Return what an SLA on an object is about.

    Args:
        given: an operator (mapped or not), what a `@task` function returns, a TaskGroup, a DAG,
            or an asset.
        dag: which DAG carries an asset's; the one around it by default.

    Raises:
        ConfigError: it is something else, or in no DAG.
    """
    if isinstance(given, XComArg):
        given = _operator_of(given)
    if isinstance(given, DAG):
        return Found(About(kind=SubjectKind.DAG, dag_id=given.dag_id), given)
    if isinstance(given, Asset):
        home = dag or DagContext.get_current()
        if home is None:
            raise ConfigError(
                f"set_sla: the asset {given.name!r} is in no DAG; call it inside `with DAG(...)`, "
                "or pass dag=, so that the SLA travels with that DAG"
            )
        return Found(
            About(kind=SubjectKind.ASSET, dag_id=home.dag_id, subject=label(given.name)), home
        )
    if isinstance(given, BaseOperator | MappedOperator):
        home = given.dag if given.has_dag() else None
        home = _in_dag(home, "task", given.task_id)
        about = About(kind=SubjectKind.TASK, dag_id=home.dag_id, task_id=given.task_id)
        return Found(about, home)
    if isinstance(given, TaskGroup):
        return _of_group(given)
    raise ConfigError(
        f"set_sla: an object of type {type(given).__name__} has no SLA; give a task, a task "
        "group, a DAG or an asset"
    )


def _operator_of(given: XComArg) -> Any:
    operators = {id(operator): operator for operator, _ in given.iter_references()}
    if len(operators) != 1:
        raise ConfigError("set_sla: this is the output of several tasks; give one of them")
    return next(iter(operators.values()))


def _of_group(group: TaskGroup) -> Found:
    dag = _in_dag(group.dag, "task group", group.group_id)
    if group.group_id is None:
        return Found(About(kind=SubjectKind.DAG, dag_id=dag.dag_id), dag)
    about = About(
        kind=SubjectKind.TASK_GROUP,
        dag_id=dag.dag_id,
        task_id=group.group_id,
        members=_members_given(group),
    )
    return Found(about, dag)


def members_of(group: TaskGroup) -> tuple[str, ...]:
    """Name the tasks of a group, unless the group's id is the beginning of theirs."""
    ids = sorted(task.task_id for task in group.iter_tasks())
    is_prefix = group.prefix_group_id and all(id_.startswith(f"{group.group_id}.") for id_ in ids)
    return () if is_prefix else tuple(ids)


def _members_given(group: TaskGroup) -> tuple[str, ...]:
    ids = members_of(group)
    if not ids and not group.prefix_group_id:
        raise ConfigError(
            f"set_sla: the task group {group.group_id!r} has no tasks yet, and does not put its "
            "id before theirs (prefix_group_id=False); call set_sla after they are there"
        )
    return ids


def _in_dag(dag: DAG | None, what: str, name: str | None) -> DAG:
    if dag is None:
        raise ConfigError(
            f"set_sla: the {what} {name!r} is in no DAG; make it inside `with DAG(...)`, or pass "
            "it dag="
        )
    return dag
