"""Runs that ended -> metrics, each counted exactly once, when its end is committed."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from airflow_dataops.adapters.metrics import current
from airflow_dataops.adapters.metrics.reporting import LOG
from airflow_dataops.core.metrics import catalogue as metrics
from airflow_dataops.core.metrics.run_end import EndDecision, additions, judge
from airflow_dataops.hooks.run_feed import HeardRun, RunFeed
from airflow_dataops.plugins.tags import run_tags, task_tags

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from airflow_dataops.core.runs import RunEnd, RunRows

_REMEMBERED = 10_000


class MetricsFeed(RunFeed):
    """Counts what runs did, after their end."""

    name = "metrics"
    log = LOG
    waits = "Metrics of runs that ended wait for the database"
    goes_on = "Metrics of runs are counted again"

    def __init__(self) -> None:
        super().__init__()
        self._counted: OrderedDict[Hashable, None] = OrderedDict()

    def _place(self, heard: HeardRun) -> Hashable | None:
        # A run that was cleared ends several times, and each end counts.
        end = heard.end
        return None if end is None else (*heard.key, end.end, end.by_hand)

    def _settle(self, batch: Sequence[HeardRun]) -> list[HeardRun]:
        from airflow_dataops.hooks.run_rows import read_runs

        found = read_runs((heard.key for heard in batch), whole=False)
        return [heard for heard in batch if self._is_settled(heard, found.get(heard.key))]

    def _is_settled(self, heard: HeardRun, rows: RunRows | None) -> bool:
        """Count a run if it is time; return whether it is done with."""
        end = heard.end
        if end is None:
            return True
        decision = judge(end, None if rows is None else rows.run)
        if decision is EndDecision.WAIT:
            return False
        key = (*heard.key, end.end)
        if decision is EndDecision.IGNORE or key in self._counted or rows is None:
            return True
        self._counted[key] = None
        if len(self._counted) > _REMEMBERED:
            self._counted.popitem(last=False)
        _emit_tasks(heard, end, rows, past=decision is EndDecision.COUNT_PAST)
        _emit_run(heard, end)
        return True


def _emit_tasks(heard: HeardRun, run: RunEnd, rows: RunRows, *, past: bool) -> None:
    tasks = getattr(heard.dag, "task_dict", {})
    tags: dict[str, tuple[tuple[str, str], ...]] = {}
    for metric, task_id, value in additions(rows.tries, run.begin, run.end if past else None):
        if task_id not in tags:
            tags[task_id] = task_tags(run.dag_id, task_id, tasks.get(task_id), heard.dag)
        current.emit(metric.kind, metric.name, value, tags[task_id])


def _emit_run(heard: HeardRun, run: RunEnd) -> None:
    tags = run_tags(run.dag_id, run.run_type, heard.dag)
    metric = metrics.RUN_SUCCESS if run.state == "success" else metrics.RUN_FAILURE
    current.emit(metric.kind, metric.name, 1, tags)
    if run.start is None:
        return
    seconds = (run.end - run.start).total_seconds()
    current.emit("timing", metrics.RUN_SECONDS.name, seconds, tags)
    if run.queued_at is not None and run.start >= run.queued_at:
        waited = (run.start - run.queued_at).total_seconds()
        current.emit("timing", metrics.RUN_QUEUE_SECONDS.name, waited, tags)
