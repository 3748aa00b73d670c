"""Alerts of failed tasks and runs end when these succeed after all."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from airflow_dataops.adapters.ledger.tables import alerts
from airflow_dataops.adapters.outbox.solving import solve_alert
from airflow_dataops.core.alerts.config import ResolveFailures
from airflow_dataops.core.alerts.masking import mask
from airflow_dataops.core.ledger.events import RunEvent, TaskEvent
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.misses import Subject, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Row

    from airflow_dataops.core.ledger.events import Event

TASK, RUN = "task_failure", "run_failure"
_SUCCESS = "success"


class Succeeded(Struct, frozen=True):
    """What succeeded in a run.

    Attributes:
        subjects: by name, as alerts write it (`shop.orders[3]`), when its last try began.
        run_began: when the run began, if it succeeded as a whole.
    """

    dag_id: str
    run_id: str
    subjects: dict[str, datetime | None]
    run_began: datetime | None = None
    is_whole: bool = False


def succeeded_in(events: Iterable[Event]) -> Succeeded | None:
    """Return what succeeded in the run that these events are of; None without one."""
    run: RunEvent | None = None
    last: dict[tuple[str, int], TaskEvent] = {}
    for each in events:
        if isinstance(each, RunEvent):
            run = each
        elif isinstance(each, TaskEvent):
            place = (each.task_id, each.map_index)
            if place not in last or last[place].try_number <= each.try_number:
                last[place] = each
    if run is None:
        return None
    done = [each for each in last.values() if each.state == _SUCCESS]
    return Succeeded(
        dag_id=run.dag_id,
        run_id=run.run_id,
        subjects={_name(each): each.started_at for each in done},
        run_began=run.started_at,
        is_whole=run.state == _SUCCESS,
    )


def solve_failures(
    connection: Connection, done: Succeeded, scope: ResolveFailures, now: datetime
) -> int:
    """Solve the alerts of failures that are over, within a transaction; return how many."""
    if scope is ResolveFailures.NEVER:
        return 0
    query = select(alerts.c.key, alerts.c.kind, alerts.c.subject, alerts.c.run_id, alerts.c.at)
    rows = connection.execute(
        query.where(
            alerts.c.dag_id == done.dag_id,
            alerts.c.solved_at.is_(None),
            alerts.c.kind.in_((TASK, RUN)),
        )
    ).all()
    over = dict.fromkeys(row.key for row in rows if _is_over(row, done, scope))
    return sum(solve_alert(connection, key, now) for key in over)


def _is_over(row: Row[tuple[str, str, str, str, datetime]], done: Succeeded, scope: str) -> bool:
    if row.kind == RUN:
        came, began = done.is_whole, done.run_began
    else:
        came, began = row.subject in done.subjects, done.subjects.get(row.subject)
    if not came:
        return False
    if row.run_id == done.run_id:
        return True
    return scope == ResolveFailures.NEXT_RUN and began is not None and began >= row.at


def _name(each: TaskEvent) -> str:
    subject = Subject(
        kind=SubjectKind.TASK,
        dag_id=each.dag_id,
        task_id=each.task_id,
        map_index=each.map_index,
    )
    return mask(str(subject))[:500]
