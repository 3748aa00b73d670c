"""Two sets of plans -> what changes in Airflow when the second takes the place of the first."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.model import Struct
from airflow_dataops.core.plan.names import dag_id_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.plan.structs import Plan, PlannedTask, Profile


class ChangeKind(StrEnum):
    """What happens to a DAG or task."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class TaskChange(Struct, frozen=True):
    """What happens to one task; `why` names what differs, empty for a new or removed one."""

    id: str
    kind: ChangeKind
    why: tuple[str, ...] = ()


class DagChange(Struct, frozen=True):
    """What happens to one DAG.

    Each changed DAG is a new version of it in Airflow, as is a new one.

    Attributes:
        dag_id: as it is called by default.
        settings: what differs in the DAG itself, such as `schedule: @daily -> @hourly`.
        tasks: by id; those of an added or removed DAG are left out.
        count: tasks that it has, or had.
    """

    dag_id: str
    kind: ChangeKind
    settings: tuple[str, ...] = ()
    tasks: tuple[TaskChange, ...] = ()
    count: int = 0


def changes_between(before: Iterable[Plan], after: Iterable[Plan]) -> tuple[DagChange, ...]:
    """Return the DAGs that differ, by id."""
    old, new = _by_id(before), _by_id(after)
    found = []
    for dag_id in sorted(old.keys() | new.keys()):
        was, now = old.get(dag_id), new.get(dag_id)
        if was is not None and now is not None:
            settings, tasks = _settings(was, now), _tasks(was, now)
            if settings or tasks:
                count = len(now.tasks)
                found.append(
                    DagChange(
                        dag_id=dag_id,
                        kind=ChangeKind.CHANGED,
                        settings=settings,
                        tasks=tasks,
                        count=count,
                    )
                )
        elif now is not None:
            found.append(DagChange(dag_id=dag_id, kind=ChangeKind.ADDED, count=len(now.tasks)))
        elif was is not None:
            found.append(DagChange(dag_id=dag_id, kind=ChangeKind.REMOVED, count=len(was.tasks)))
    return tuple(found)


def _by_id(plans: Iterable[Plan]) -> dict[str, Plan]:
    return {dag_id_of(plan.name, plan.part): plan for plan in plans}


def _settings(was: Plan, now: Plan) -> tuple[str, ...]:
    told = [
        f"{name}: {old or 'none'} -> {new or 'none'}"
        for name, old, new in (
            ("schedule", was.schedule, now.schedule),
            ("starts", was.start, now.start),
            ("inputs", _inputs(was), _inputs(now)),
        )
        if old != new
    ]
    old_slas, new_slas = (sorted(map(str, plan.slas)) for plan in (was, now))
    if old_slas != new_slas:
        told.append(f"SLAs: {len(old_slas)} -> {len(new_slas)}, or their terms")
    return tuple(told)


def _inputs(plan: Plan) -> str:
    return ", ".join(str(given.relation) for given in plan.inputs)


def _tasks(was: Plan, now: Plan) -> tuple[TaskChange, ...]:
    found = []
    for id_ in sorted(was.tasks.keys() | now.tasks.keys()):
        old, new = was.tasks.get(id_), now.tasks.get(id_)
        if old is None:
            found.append(TaskChange(id=id_, kind=ChangeKind.ADDED))
        elif new is None:
            found.append(TaskChange(id=id_, kind=ChangeKind.REMOVED))
        elif why := tuple(_why(was, old, now, new)):
            found.append(TaskChange(id=id_, kind=ChangeKind.CHANGED, why=why))
    return tuple(found)


def _why(was: Plan, old: PlannedTask, now: Plan, new: PlannedTask) -> Iterable[str]:
    if old.nodes != new.nodes:
        gone, come = sorted({*old.nodes} - {*new.nodes}), sorted({*new.nodes} - {*old.nodes})
        yield from (f"without {id_}" for id_ in gone)
        yield from (f"with {id_}" for id_ in come)
    elif old.fingerprint != new.fingerprint:
        yield "code or configuration"
    if old.engine is not new.engine:
        yield f"engine: {old.engine} -> {new.engine} ({new.reason})"
    if old.upstream != new.upstream:
        yield "what it waits for"
    if old.group != new.group:
        yield f"group: {'/'.join(old.group) or 'none'} -> {'/'.join(new.group) or 'none'}"
    if (old.relation, old.outlets) != (new.relation, new.outlets):
        yield f"table: {old.relation} -> {new.relation}"
    if old.description != new.description:
        yield "description"
    if was.profiles and now.profiles and _profile(was, old) != _profile(now, new):
        yield "owner, tags or settings in meta"


def _profile(plan: Plan, task: PlannedTask) -> Profile:
    """Return what tasks of a profile share, without the one it was first seen on."""
    return replace(plan.profiles[task.profile], node="", path="")
