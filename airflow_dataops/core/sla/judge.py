"""Whether an SLA was met: decided from recorded times, so that looking late hides nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.due import due_of
from airflow_dataops.core.sla.facts import State, state_of
from airflow_dataops.core.sla.misses import SubjectKind
from airflow_dataops.core.sla.policies import ByTime, MaxAge

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_dataops.core.sla.facts import RunFacts, TaskFacts
    from airflow_dataops.core.sla.policies import Sla


class SlaStatus(StrEnum):
    """What came of an SLA in one run."""

    NONE = "none"
    """Nothing is owed: another type of run, a day off, a skipped task."""
    PENDING = "pending"
    """Not done, and not due yet."""
    MET = "met"
    MISSED = "missed"
    """Due, and not done. It may still come."""
    LATE = "late"
    """Done, but after it was due: a miss that is solved."""


class Judgement(Struct, frozen=True):
    """A status with what it is based on.

    Attributes:
        state: what the subject has come to, in Airflow's words; `never_started` for none.
        since: since when it is so, where that is known.
        done_at: when it was done.
        upstream: the first task that it waits for, or that stopped it.
    """

    status: SlaStatus
    due: datetime | None = None
    state: str | None = None
    since: datetime | None = None
    done_at: datetime | None = None
    upstream: str | None = None

    @property
    def is_miss(self) -> bool:
        """Whether it was not done when it was due, whatever became of it."""
        return self.status in (SlaStatus.MISSED, SlaStatus.LATE)


_OPEN = ("failed", "running", "queued", "up_for_retry", "up_for_reschedule", "deferred")
_NOTHING = Judgement(status=SlaStatus.NONE)


class _Subject(Struct, frozen=True):
    """What an SLA is about, from all of its parts."""

    state: State
    says: str
    began: datetime | None = None
    since: datetime | None = None
    ended: datetime | None = None


def judge(sla: Sla, run: RunFacts, tasks: Sequence[TaskFacts], now: datetime) -> Judgement:
    """Decide on one SLA of a task, a task group or a DAG in one run.

    Args:
        tasks: all task instances of the run.
        now: an aware time.

    Raises:
        ConfigError: its time zone is none.
    """
    if run.run_type not in sla.run_types:
        return _NOTHING
    subject = _of_run(run) if sla.kind is SubjectKind.DAG else _of_tasks(_chosen(sla, tasks))
    if subject.state is State.EXEMPT:
        return _NOTHING
    due = due_of(sla.due, run, subject.began)
    if due is None:
        # A day off owes nothing; a start that is still to come, not yet.
        return _NOTHING if isinstance(sla.due, ByTime) else Judgement(status=SlaStatus.PENDING)
    return Judgement(
        status=_status(subject, due, now),
        due=due,
        state=subject.says,
        since=subject.since,
        done_at=subject.ended if subject.state is State.DONE else None,
        upstream=None if subject.state is State.DONE else _blocker(sla, tasks),
    )


def judge_age(sla: Sla, updated_at: datetime | None, now: datetime) -> Judgement:
    """Decide on the age of a table or an asset.

    Args:
        updated_at: when it was last brought up to date; None for never.
    """
    assert isinstance(sla.due, MaxAge)  # noqa: S101 - for the type checker
    allowed = timedelta(minutes=sla.due.minutes)
    if updated_at is None:
        epoch = datetime.fromtimestamp(0, UTC)
        return Judgement(status=SlaStatus.MISSED, due=epoch, state="never_updated")
    due = updated_at + allowed
    status = SlaStatus.MISSED if now > due else SlaStatus.MET
    return Judgement(status=status, due=due, state="updated", since=updated_at)


def _status(subject: _Subject, due: datetime, now: datetime) -> SlaStatus:
    if subject.state is State.DONE and subject.ended is not None:
        return SlaStatus.MET if subject.ended <= due else SlaStatus.LATE
    return SlaStatus.MISSED if now > due else SlaStatus.PENDING


def _of_run(run: RunFacts) -> _Subject:
    return _Subject(
        state=state_of(run.state),
        says=run.state or "never_started",
        began=run.started_at,
        since=run.ended_at or run.started_at,
        ended=run.ended_at,
    )


def _chosen(sla: Sla, tasks: Iterable[TaskFacts]) -> list[TaskFacts]:
    wanted = sla.task_id or ""
    if sla.members:
        members = set(sla.members)
        return [task for task in tasks if task.task_id in members]
    if sla.kind is SubjectKind.TASK_GROUP:
        return [task for task in tasks if task.task_id.startswith(f"{wanted}.")]
    return [task for task in tasks if task.task_id == wanted]


def _of_tasks(tasks: Sequence[TaskFacts]) -> _Subject:
    """Sum up the instances of a mapped task, or the tasks of a group.

    Those that were skipped or removed tell nothing of when the others began and ended.
    """
    if not tasks:
        return _Subject(state=State.EXEMPT, says="removed")
    tasks = [task for task in tasks if state_of(task.state) is not State.EXEMPT] or tasks
    states = {state_of(task.state) for task in tasks}
    order = (State.FAILED, State.RUNNING, State.WAITING, State.DONE, State.EXEMPT)
    state = next(each for each in order if each in states)
    telling = [task for task in tasks if state_of(task.state) is state]
    ended = [task.ended_at for task in tasks if task.ended_at is not None]
    began = [b for task in tasks if (b := task.first_started_at or task.started_at) is not None]
    since = [s for task in telling if (s := task.ended_at or task.started_at) is not None]
    return _Subject(
        state=state,
        says=telling[0].state or "never_started",
        began=min(began, default=None),
        since=max(since, default=None),
        ended=max(ended, default=None),
    )


def _blocker(sla: Sla, tasks: Sequence[TaskFacts]) -> str | None:
    """Return the task that a late subject waits for: the farthest one up that is not done."""
    by_id: dict[str, list[TaskFacts]] = {}
    for task in tasks:
        by_id.setdefault(task.task_id, []).append(task)
    if sla.kind is SubjectKind.DAG:
        return next((id_ for id_, found in by_id.items() if _stands_still(found)), None)
    seen = {task.task_id for task in _chosen(sla, tasks)}
    ahead, blocker = list(seen), None
    while ahead:
        above = {up for id_ in ahead for task in by_id[id_] for up in task.upstream}
        ahead = [id_ for id_ in sorted(above - seen) if id_ in by_id and not _is_done(by_id[id_])]
        seen |= above
        blocker = ahead[0] if ahead else blocker
    return blocker


def _is_done(tasks: Sequence[TaskFacts]) -> bool:
    return _of_tasks(tasks).state in (State.DONE, State.EXEMPT)


def _stands_still(tasks: Sequence[TaskFacts]) -> bool:
    """Tell whether a task keeps a run from ending by itself, and not for one upstream."""
    return any(task.state in _OPEN for task in tasks)
