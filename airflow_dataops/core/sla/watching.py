"""What a look at a run has come to, over many looks: told once, armed anew by clearing."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.detect import detect
from airflow_dataops.core.sla.facts import RunFacts, State, state_of
from airflow_dataops.core.sla.judge import SlaStatus, judge
from airflow_dataops.core.sla.misses import SlaMiss, SubjectKind
from airflow_dataops.core.sla.policies import Sla, warn_percentile
from airflow_dataops.core.sla.predict import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from airflow_dataops.core.sla.facts import TaskFacts
    from airflow_dataops.core.sla.judge import Judgement
    from airflow_dataops.core.sla.misses import Past

    History = Callable[[Sla], Sequence[Past]]


_RESET = (None, "scheduled", "queued")


class Watched(Struct, frozen=True):
    """A run whose SLAs are watched, as it was when it was last looked at.

    Attributes:
        run: its `clear_number` counts the times that it was queued anew.
        queued_at: when Airflow queued it last; clearing does that too.
        cleared_at: when it was last cleared.
        over: ids of the SLAs that are decided since then.
        open: ids of the SLAs whose misses and warnings are not solved, by the miss's key.
        next_due: when the next SLA is due that is not yet, or a warning may be.
        unstarted: whether an SLA's due time depends on a task that has not begun.
        settled: whether nothing is left to look at until it changes, by clearing for example.
    """

    run: RunFacts
    queued_at: datetime | None = None
    cleared_at: datetime | None = None
    over: tuple[str, ...] = ()
    open: dict[str, str] = {}
    next_due: datetime | None = None
    unstarted: bool = False
    settled: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Name the run."""
        return self.run.dag_id, self.run.run_id


class NewMiss(Struct, frozen=True):
    """A miss or a warning, with the SLA that knows whom to call."""

    sla: Sla
    miss: SlaMiss


class Look(Struct, frozen=True):
    """What one look at a run found.

    Attributes:
        new: misses and warnings that this watcher has not told yet.
        solved: keys of those that are over.
        watched: the run as it is to be kept.
    """

    new: tuple[NewMiss, ...]
    solved: tuple[str, ...]
    watched: Watched


def sla_id(sla: Sla) -> str:
    """Name an SLA among those of its DAG."""
    return f"{sla.kind}:{sla.task_id or ''}:{sla.name}:{sla.tier}"


def seen_anew(before: Watched | None, run: RunFacts, queued_at: datetime | None) -> Watched:
    """Join what is known of a run with how it is now.

    A later `queued_at` than before is a clearing: Airflow's REST API does not count them. An
    earlier one is an old answer, which changes nothing.
    """
    if before is None:
        return Watched(run=replace(run, clear_number=0), queued_at=queued_at)
    if before.queued_at is None or queued_at is None or queued_at == before.queued_at:
        facts = replace(run, clear_number=before.run.clear_number)
        return replace(
            before,
            run=facts,
            queued_at=queued_at or before.queued_at,
            settled=before.settled and facts == before.run,
        )
    if queued_at < before.queued_at:
        return before
    facts = replace(run, clear_number=before.run.clear_number + 1)
    return replace(
        before,
        run=facts,
        queued_at=queued_at,
        cleared_at=queued_at,
        over=(),
        next_due=None,
        settled=False,
    )


def look(
    watched: Watched,
    slas: Iterable[Sla],
    tasks: Sequence[TaskFacts],
    now: datetime,
    history: History = lambda sla: (),
) -> Look:
    """Judge the SLAs of a run that are not decided yet.

    What was due before the last clearing is not missed again: the earlier look told it. The
    misses of an SLA that the DAG has no more are solved.

    Args:
        tasks: the instances of the tasks that SLAs are about, all of them, and any others,
            which may block them.
        history: earlier runs of an SLA's subject, newest first.

    Raises:
        ConfigError: an SLA's time zone is none.
    """
    watched = replace(watched, next_due=None, unstarted=False)
    current = _of_this_clearing(tasks, watched.cleared_at)
    by_id: dict[str, list[TaskFacts]] = defaultdict(list)
    for task in current:
        by_id[task.task_id].append(task)
    new, solved = list[NewMiss](), list[str]()
    over, still, dues = set(watched.over), dict(watched.open), list[datetime]()
    names = {sla_id(sla): sla for sla in slas}
    for name, sla in names.items():
        if name in over:
            continue
        own = by_id.get(sla.task_id or "", []) if sla.kind is SubjectKind.TASK else current
        found = judge(sla, watched.run, own, now)
        if found.status is SlaStatus.PENDING and _is_left_alone(sla, own, watched.cleared_at):
            found = replace(found, status=SlaStatus.NONE)
        if found.status is SlaStatus.PENDING:
            dues += _next_looks(sla, found, now, history)
            if found.due is None and not _has_ended(watched.run):
                watched = replace(watched, unstarted=True)
        for miss in _told(sla, watched, current, found, now, history):
            if miss.key not in watched.open:
                new.append(NewMiss(sla=sla, miss=miss))
            still[miss.key] = name
        if found.status in (SlaStatus.MET, SlaStatus.LATE, SlaStatus.NONE):
            over.add(name)
            solved += [key for key, of in still.items() if of == name]
    solved += [key for key, of in still.items() if of not in names]
    after = replace(
        watched,
        over=tuple(sorted(over)),
        open={key: of for key, of in still.items() if key not in solved},
        next_due=min(dues, default=None),
        settled=_has_ended(watched.run) and not dues,
    )
    return Look(new=tuple(new), solved=tuple(solved), watched=after)


def _next_looks(sla: Sla, found: Judgement, now: datetime, history: History) -> list[datetime]:
    """Return when it is due, and when it ought to have begun to be in time."""
    if found.due is None:
        return []
    percent = warn_percentile(sla)
    seconds = [past.seconds for past in history(sla) if past.seconds is not None] if percent else []
    if not percent or not seconds:
        return [found.due]
    begin = found.due - timedelta(seconds=percentile(seconds, percent))
    return [begin, found.due] if begin > now else [found.due]


def _told(
    sla: Sla,
    watched: Watched,
    tasks: Sequence[TaskFacts],
    found: Judgement,
    now: datetime,
    history: History,
) -> tuple[SlaMiss, ...]:
    """Return the misses and warnings of one SLA."""
    if found.status in (SlaStatus.MET, SlaStatus.NONE) or found.due is None:
        return ()
    if watched.cleared_at is not None and found.due <= watched.cleared_at:
        return ()
    if found.status is SlaStatus.PENDING and not warn_percentile(sla):
        return ()
    past: Mapping[str, Sequence[Past]] = {sla.name: history(sla)}
    if found.status is SlaStatus.PENDING and not past[sla.name]:
        return ()
    detected = detect([sla], watched.run, tasks, now, past)
    return detected.misses + detected.warnings


def _of_this_clearing(
    tasks: Sequence[TaskFacts], cleared_at: datetime | None
) -> Sequence[TaskFacts]:
    """Forget when those began that were not cleared, or are not yet begun again."""
    if cleared_at is None:
        return tasks
    return [_begun_since(task, cleared_at) for task in tasks]


def _begun_since(task: TaskFacts, cleared_at: datetime) -> TaskFacts:
    # One that is running, deferred or failed would have been reset if it had been cleared.
    of_before = task.state in _RESET or state_of(task.state) is State.DONE
    if of_before and task.started_at is not None and task.started_at < cleared_at:
        return replace(task, started_at=None, first_started_at=None)
    return task


def _is_left_alone(sla: Sla, tasks: Sequence[TaskFacts], cleared_at: datetime | None) -> bool:
    """Tell whether a task was done before the run was cleared, and is not run again."""
    if cleared_at is None or sla.kind is not SubjectKind.TASK:
        return False
    return all(
        state_of(task.state) is State.DONE and task.ended_at and task.ended_at < cleared_at
        for task in tasks
    )


def _has_ended(run: RunFacts) -> bool:
    return state_of(run.state) in (State.DONE, State.FAILED)
