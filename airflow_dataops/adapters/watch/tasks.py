"""The task instances that the SLAs of runs are judged by, with few requests."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from airflow_dataops.adapters.watch.facts import (
    FirstStarts,
    needs_first_start,
    of_run_to_come,
    with_neighbours,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_dataops.adapters.watch.answers import Instance
    from airflow_dataops.adapters.watch.definitions import Definitions
    from airflow_dataops.adapters.watch.reader import AirflowReader
    from airflow_dataops.core.sla.facts import TaskFacts
    from airflow_dataops.core.sla.watching import Watched

    Key = tuple[str, str]

_MANY = 300
"""Of more tasks than these in a run, those that are done in time are not asked for."""
_EXPLAINED = 20
"""So many runs that are late at once are asked what blocks them; the rest is of their kind."""
_UNDONE = (
    None,
    "scheduled",
    "queued",
    "running",
    "restarting",
    "failed",
    "upstream_failed",
    "up_for_retry",
    "up_for_reschedule",
    "deferred",
)


class TaskReader:
    """Reads the tasks of runs, and what is around those that are late."""

    def __init__(self, reader: AirflowReader, definitions: Definitions) -> None:
        self._reader = reader
        self._definitions = definitions
        self._starts = FirstStarts(reader)

    def of(self, runs: Sequence[Watched]) -> dict[Key, list[TaskFacts]]:
        """Return the tasks that SLAs are about, with all their instances that matter."""
        found: dict[Key, list[TaskFacts]] = {}
        known = {each.key: each for each in runs}
        for each in runs:
            ids = self._definitions.task_ids(each.run.dag_id)
            slas = self._definitions.of_runs(each.run.dag_id)
            found[each.key] = [] if each.run.state else of_run_to_come(ids, slas)
        first_starts = {
            dag_id: needs_first_start(self._definitions.of_runs(dag_id)) for dag_id, _ in known
        }
        for instance in self._instances([each for each in runs if each.run.state], first_starts):
            key = (instance.dag_id, instance.dag_run_id)
            counts = instance.task_id.startswith(first_starts[instance.dag_id])
            first = self._starts.of(instance, known[key]) if counts else None
            found[key].append(instance.facts(first))
        return found

    def with_neighbours(
        self, runs: Sequence[Watched], own: dict[Key, list[TaskFacts]]
    ) -> dict[Key, list[TaskFacts]]:
        """Add what is not done in these runs, and say who waits for whom and owns what."""
        others: dict[Key, list[TaskFacts]] = defaultdict(list)
        explained = [each.key for each in runs if each.run.state][:_EXPLAINED]
        for each in self._reader.instances(explained, states=_UNDONE):
            others[each.dag_id, each.dag_run_id].append(each.facts())
        return {
            each.key: with_neighbours(
                own[each.key], others[each.key], self._definitions.tasks(each.run.dag_id)
            )
            for each in runs
        }

    def forget(self, runs: Iterable[Key]) -> None:
        """Drop what is known of runs that are settled."""
        self._starts.forget(runs)

    def _instances(
        self, runs: Sequence[Watched], first_starts: dict[str, tuple[str, ...]]
    ) -> list[Instance]:
        ids = {each.run.dag_id: self._definitions.task_ids(each.run.dag_id) for each in runs}
        small = []
        found: list[Instance] = []
        for each in runs:
            dag_id = each.run.dag_id
            is_first_look = each.next_due is None and not each.open
            if len(ids[dag_id]) <= _MANY or first_starts[dag_id] or is_first_look:
                small.append(each.key)
                continue
            # What was done before anything was due needs no look.
            found += self._reader.instances([each.key], ids[dag_id], _UNDONE)
            if each.next_due is not None:
                found += self._reader.instances(
                    [each.key], ids[dag_id], ["success"], ended_after=each.next_due
                )
        found += self._reader.instances(small, set().union(*(ids[dag_id] for dag_id, _ in small)))
        return [each for each in found if each.task_id in ids[each.dag_id]]
