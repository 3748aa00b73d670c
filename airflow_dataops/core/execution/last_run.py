"""How the nodes of an earlier run ended, from what the ledger keeps of it.

The ledger keeps tasks, and what went wrong in them: a build that succeeded cannot be told from
one that the run was not for. So only what went wrong is answered, which is what is run again.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from airflow_dataops.core.ledger.events import CheckStatus
from airflow_dataops.core.plan import TaskKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from airflow_dataops.core.ledger.events import CheckEvent, RunEvent, TaskEvent
    from airflow_dataops.core.plan import Part

KNOWN = frozenset({"error", "fail", "skipped", "warn"})
"""The statuses, dbt's, that the results of `results_of` tell."""

_NOT_RUN = frozenset({"skipped", "upstream_failed"})
_BAD = frozenset({"error", "fail"})


def last_before(runs: Iterable[RunEvent], own: RunEvent) -> RunEvent | None:
    """Return the run of a DAG that began last before another one; None for none."""
    begun = [
        (run.started_at or run.queued_at or run.observed_at, run)
        for run in runs
        if run.run_id != own.run_id
    ]
    if own.started_at is not None:
        begun = [(at, run) for at, run in begun if at < own.started_at]
    return max(begun, key=lambda found: found[0])[1] if begun else None


def results_of(
    tasks: Iterable[TaskEvent],
    checks: Iterable[CheckEvent],
    parts_of: Callable[[str], Sequence[Part]],
) -> dict[str, str]:
    """Return the status of each node of which something other than success is known.

    Args:
        tasks: of one run, each try.
        checks: of the same run.
        parts_of: what a task runs today, by its id, in an order in which it may run; nothing for
            tasks that are not ours.
    """
    told: defaultdict[str, list[CheckEvent]] = defaultdict(list)
    for check in sorted(checks, key=lambda check: check.observed_at):
        told[check.task_id or ""].append(check)
    results: dict[str, str] = {}
    for task in _last_tries(tasks):
        parts = [part for part in parts_of(task.task_id) if part.kind is not TaskKind.READY]
        said = {
            check.subject: _status(check)
            for check in told[task.task_id]
            # What an earlier try said counts no more.
            if task.started_at is None or check.observed_at >= task.started_at
        }
        if task.state in _NOT_RUN:
            results |= {node: "skipped" for part in parts for node in part.nodes}
        elif task.state == "failed":
            results |= _of_failed(parts, said)
        elif task.state == "success":
            results |= {node: status for node, status in said.items() if status == "warn"}
    return results


def _last_tries(tasks: Iterable[TaskEvent]) -> list[TaskEvent]:
    last: dict[tuple[str, int], TaskEvent] = {}
    for task in sorted(tasks, key=lambda task: task.try_number):
        last[task.task_id, task.map_index] = task
    return list(last.values())


def _status(check: CheckEvent) -> str:
    """Return dbt's word; it calls a source that is too old an error."""
    is_stale = check.name == "freshness" and check.status is CheckStatus.FAIL
    return "error" if is_stale else str(check.status)


def _of_failed(parts: Sequence[Part], said: Mapping[str, str]) -> dict[str, str]:
    """Tell how the nodes of a failed task ended: all in error where the task said nothing."""
    results: dict[str, str] = {}
    broken: set[str] = set()
    for part in parts:
        mine = {node: said[node] for node in part.nodes if node in said}
        if not broken.isdisjoint(part.upstream):
            broken.add(part.id)
            results |= dict.fromkeys(part.nodes, "skipped") | mine
        elif not _BAD.isdisjoint(mine.values()):
            broken.add(part.id)
        results |= {node: status for node, status in mine.items() if status in KNOWN}
    if not broken:
        return {node: "error" for part in parts for node in part.nodes}
    return results
