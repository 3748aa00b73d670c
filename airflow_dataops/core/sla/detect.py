"""Misses, warnings and solutions of all SLAs of a run."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.judge import SlaStatus, judge
from airflow_dataops.core.sla.misses import SlaMiss, Subject, SubjectKind
from airflow_dataops.core.sla.policies import warn_percentile
from airflow_dataops.core.sla.predict import predicted_end

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_dataops.core.sla.facts import RunFacts, TaskFacts
    from airflow_dataops.core.sla.judge import Judgement
    from airflow_dataops.core.sla.misses import Past
    from airflow_dataops.core.sla.policies import Sla


class Found(Struct, frozen=True):
    """What a look at a run's SLAs found.

    Attributes:
        misses: not done when due, once each, whether or not they are solved by now.
        warnings: probably late.
        solved: keys of the misses and warnings that are over.
        open: number of SLAs that are not due yet.
        next_due: when the next of those is due.
    """

    misses: tuple[SlaMiss, ...] = ()
    warnings: tuple[SlaMiss, ...] = ()
    solved: tuple[str, ...] = ()
    open: int = 0
    next_due: datetime | None = None


def detect(
    slas: Iterable[Sla],
    run: RunFacts,
    tasks: Sequence[TaskFacts],
    now: datetime,
    history: Mapping[str, Sequence[Past]] | None = None,
) -> Found:
    """Judge all SLAs of one run.

    Args:
        tasks: all task instances of the run.
        history: earlier runs of the subjects, newest first, by SLA name.

    Raises:
        ConfigError: an SLA's time zone is none.
    """
    misses, warnings, solved, dues = [], [], [], []
    for sla in slas:
        found = judge(sla, run, tasks, now)
        past = tuple((history or {}).get(sla.name, ()))
        miss = _miss(sla, run, tasks, found, now, past)
        warning = _warning(sla, run, miss, found, now, past)
        if found.is_miss:
            misses.append(miss)
        if found.status is SlaStatus.LATE:
            solved.append(miss.key)
        if warning is not None:
            warnings.append(warning)
        if found.status in (SlaStatus.MET, SlaStatus.LATE):
            solved.append(_as_warning(miss).key)
        if found.status is SlaStatus.PENDING:
            dues.append(found.due)
    return Found(
        misses=tuple(misses),
        warnings=tuple(warnings),
        solved=tuple(solved),
        open=len(dues),
        next_due=min((due for due in dues if due is not None), default=None),
    )


def _miss(
    sla: Sla,
    run: RunFacts,
    tasks: Sequence[TaskFacts],
    found: Judgement,
    now: datetime,
    past: tuple[Past, ...],
) -> SlaMiss:
    own = next((task.owner for task in tasks if task.task_id == sla.task_id), None)
    return SlaMiss(
        sla=sla.name,
        subject=Subject(
            kind=sla.kind,
            dag_id=run.dag_id,
            run_id=run.run_id,
            task_id=None if sla.kind is SubjectKind.DAG else sla.task_id,
            clear_number=run.clear_number,
        ),
        due=found.due or run.run_after,
        detected_at=now,
        tier=sla.tier,
        state=found.state,
        since=found.since,
        upstream=found.upstream,
        owner=sla.owner or own,
        tags=sla.tags,
        history=past,
        escalate=sla.escalate,
    )


def _warning(
    sla: Sla,
    run: RunFacts,
    miss: SlaMiss,
    found: Judgement,
    now: datetime,
    past: tuple[Past, ...],
) -> SlaMiss | None:
    """Return the warning that a subject which is not done yet will probably be late."""
    percent = warn_percentile(sla)
    if found.status is not SlaStatus.PENDING or found.due is None or percent is None:
        return None
    seconds = [each.seconds for each in past if each.seconds is not None]
    end = predicted_end(found.since or run.started_at or now, seconds, percent, now)
    return _as_warning(miss) if end is not None and end > found.due else None


def _as_warning(miss: SlaMiss) -> SlaMiss:
    return replace(miss, warning=True)
